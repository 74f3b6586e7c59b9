"""Draws in several stages: schools, then classes, then persons of a class or everybody in it.

Enters: what each school holds, and a public seed. Leaves: a `StagedDraw`: who was drawn at every
stage, and the probability of each stage, whose product's inverse is the design weight. Chance comes
from `selection.seeded_uniforms` under a seed of its own for every school and class, so a draw in one
school does not move the draw in another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from survey.arrays import Floats, Ints
from survey.sampling.selection import (
    DrawError,
    inclusion_probabilities,
    seeded_uniforms,
    simple_random,
    systematic_pps,
)


@dataclass(frozen=True, eq=False)
class StagedDraw:
    """Who was drawn at every stage, counted from 0 in frame order.

    Attributes:
        schools: (n,) schools drawn, in frame order.
        school_probability: (N,) π of every school of the frame.
        classes: per drawn school, its classes drawn.
        class_probability: (n,) share of its classes that was drawn.
        persons: per drawn school and class, the persons drawn.
        person_probability: per drawn school, per drawn class, share of its persons that was drawn.
    """

    schools: Ints
    school_probability: Floats
    classes: tuple[Ints, ...]
    class_probability: Floats
    persons: tuple[tuple[Ints, ...], ...]
    person_probability: tuple[Floats, ...]

    def weights(self) -> tuple[Floats, ...]:
        """Per drawn school, per drawn class: the design weight of one person, 1/(π school · class · person)."""
        return tuple(
            1 / (self.school_probability[school] * of_class * of_person)
            for school, of_class, of_person in zip(
                self.schools, self.class_probability, self.person_probability, strict=True
            )
        )


def draw_stages(
    class_sizes: Sequence[Sequence[int]],
    n_schools: int,
    n_classes: int,
    seed: str,
    *,
    n_persons: int | None = None,
    school_sizes: ArrayLike | None = None,
) -> StagedDraw:
    """Schools with probability proportional to size, then classes, then persons, each by lot.

    Args:
        class_sizes: per school in frame order, the persons of each of its classes.
        n_schools: schools to draw, systematically in frame order (sort the frame for implicit strata).
        n_classes: classes in each school; all of them where it has fewer.
        seed: public text.
        n_persons: persons in each class; None asks everybody in a drawn class (whole classes).
        school_sizes: (N,) measures of size; the schools' persons when not given.

    Returns:
        A `StagedDraw`; a school larger than the sampling interval is certain, its π is one.

    Raises:
        DrawError: more schools than have a size, or nobody to draw in a class. RangeError: a negative size.

    Source: Särndal, Swensson & Wretman (1992), ch. 4; Madow (1949) for the first stage. R
    `sampling::mstage(stage = c("cluster", "cluster", ""), method = list("systematic", "srswor", "srswor"))`.

    >>> draw = draw_stages([[30, 31], [25, 26, 27]], 1, 2, "2026", n_persons=10)
    >>> [len(one) for one in draw.persons[0]], len(draw.classes[0])
    ([10, 10], 2)
    """
    sizes = [sum(one) for one in class_sizes] if school_sizes is None else school_sizes
    inclusion = inclusion_probabilities(sizes, n_schools)
    start = max(float(seeded_uniforms(f"{seed}/schools", 1)[0]), 1e-12)
    schools = systematic_pps(inclusion, start)
    classes, persons, of_class, of_person = [], [], [], []
    for school in schools:
        present = list(class_sizes[school])
        take = min(n_classes, len(present))
        if not take or min(present) < 1:
            raise DrawError(f"第{school + 1}所学校", "没有班级，或者有的班没有人", "核对抽样框里的班级人数")
        chosen = simple_random(seeded_uniforms(f"{seed}/classes/{school}", len(present)), take)
        asked = [
            np.arange(present[one])
            if n_persons is None or n_persons >= present[one]
            else simple_random(seeded_uniforms(f"{seed}/persons/{school}/{one}", present[one]), n_persons)
            for one in chosen
        ]
        classes.append(chosen)
        persons.append(tuple(asked))
        of_class.append(take / len(present))
        of_person.append(
            np.array([len(some) / present[one] for one, some in zip(chosen, asked, strict=True)])
        )
    return StagedDraw(
        schools, inclusion, tuple(classes), np.array(of_class), tuple(persons), tuple(of_person)
    )

"""`python -m survey` is the command `survey`."""

from survey.cli.main import main

if __name__ == "__main__":
    main(prog_name="survey")

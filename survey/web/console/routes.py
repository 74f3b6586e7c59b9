"""Every page of the console under one address; each form is checked before its handler runs."""


from survey.web.access import check_form
from survey.web.console.accounts import ACCOUNT_ROUTES
from survey.web.console.areas import AREA_ROUTES
from survey.web.console.board import BOARD_ROUTES
from survey.web.console.callbacks import CALLBACK_ROUTES
from survey.web.console.certificate import CERTIFICATE_ROUTES
from survey.web.console.certify import CERTIFY_ROUTES
from survey.web.console.counties import COUNTY_ROUTES
from survey.web.console.digest import DIGEST_ROUTES
from survey.web.console.extension import EXTENSION_ROUTES
from survey.web.console.flags import FLAG_ROUTES
from survey.web.console.frame import FRAME_ROUTES
from survey.web.console.health import HEALTH_PAGES
from survey.web.console.launch import LAUNCH_ROUTES
from survey.web.console.ledger import LEDGER_ROUTES
from survey.web.console.leftovers import LEFTOVER_ROUTES
from survey.web.console.monitor import MONITOR_ROUTES
from survey.web.console.outside import OUTSIDE_ROUTES
from survey.web.console.own_school import OWN_SCHOOL_ROUTES
from survey.web.console.paper_entry import PAPER_ENTRY_ROUTES
from survey.web.console.papers import PAPER_ROUTES
from survey.web.console.people import PEOPLE_ROUTES
from survey.web.console.report import REPORT_ROUTES
from survey.web.console.results import RESULT_ROUTES
from survey.web.console.sample import SAMPLE_ROUTES
from survey.web.console.schools import SCHOOL_ROUTES
from survey.web.console.setup import SETUP_ROUTES
from survey.web.console.sign_in import SIGN_IN_ROUTES
from survey.web.console.sign_in_elsewhere import ELSEWHERE_ROUTES
from survey.web.console.signers import SIGNER_ROUTES
from survey.web.console.signing import SIGNING_ROUTES
from survey.web.console.waves import WAVE_ROUTES
from survey.web.console.webhooks import WEBHOOK_ROUTES
from survey.web.console.works import WORK_ROUTES
from survey.web.routing import OwnRouter


def console_router() -> OwnRouter:
    """The console."""
    return OwnRouter(
        "/console",
        before_request=check_form,
        route_handlers=[
            *SIGN_IN_ROUTES,
            *ELSEWHERE_ROUTES,
            *WAVE_ROUTES,
            *SETUP_ROUTES,
            *FRAME_ROUTES,
            *AREA_ROUTES,
            *SAMPLE_ROUTES,
            *PAPER_ROUTES,
            *PAPER_ENTRY_ROUTES,
            *CALLBACK_ROUTES,
            *BOARD_ROUTES,
            *SCHOOL_ROUTES,
            *OWN_SCHOOL_ROUTES,
            *LAUNCH_ROUTES,
            *MONITOR_ROUTES,
            *EXTENSION_ROUTES,
            *FLAG_ROUTES,
            *LEFTOVER_ROUTES,
            *SIGNING_ROUTES,
            *WORK_ROUTES,
            *SIGNER_ROUTES,
            *RESULT_ROUTES,
            *REPORT_ROUTES,
            *CERTIFY_ROUTES,
            *CERTIFICATE_ROUTES,
            *COUNTY_ROUTES,
            *DIGEST_ROUTES,
            *OUTSIDE_ROUTES,
            *WEBHOOK_ROUTES,
            *LEDGER_ROUTES,
            *PEOPLE_ROUTES,
            *ACCOUNT_ROUTES,
            *HEALTH_PAGES,
        ],
    )

"""C11, light: the certificates of a wave, with what to download and how anyone checks them."""

from typing import Any

from litestar import Response, get, post
from litestar.params import FromPath

from survey.canonical import sha256_hex
from survey.jobs.pack_wave import pack_wave
from survey.storage.certificates import list_certificates
from survey.storage.plans import load_wave
from survey.web.access import may, person_of
from survey.web.console.page import console_page, wave_crumbs
from survey.web.console.waves import tabs_of
from survey.web.console.works import PACK, make
from survey.web.errors import UnknownPageError
from survey.web.files import download, files_in
from survey.web.verify.standing import REVOKED, standing_of, statement_in

NAMES = {
    "certificate.json": ("结果证书（JSON）", "可以离线验证"),
    "certificate.pdf": ("证书的纸面（PDF）", "A4一页，带核验二维码"),
    "bundle.zip": ("公开包（ZIP）", "方案、日志、纸条摘要、表和签名"),
    "report.pdf": ("报告（PDF）", "签发时的正式报告"),
}
from survey.web.pages import AnyRequest


@get("/waves/{wave:str}/certificate", guards=[may("certificate.see")])
async def show_certificate(request: AnyRequest, wave: FromPath[str]) -> Response[str]:
    """The newest certificate of the wave, the older ones, and their files."""
    row = await load_wave(wave)
    versions = await list_certificates(wave)
    newest = versions[-1] if versions else None
    standing = await standing_of(newest) if newest else None
    settings = request.app.state.settings
    return console_page(
        request,
        "certificate.html",
        title="结果证书",
        crumbs=wave_crumbs(row),
        command=f"survey verify 证书.json\nsurvey pack {wave}",
        row=row,
        tabs=tabs_of(row, "/certificate"),
        newest=newest,
        revoked=standing is not None and standing.state == REVOKED,
        why=standing.reason if standing else "",
        versions=versions,
        statement=statement_in(newest.data) if newest else None,
        file_digest=sha256_hex(newest.data) if newest else "",
        files=[path for path in files_in(settings.out / row.wave) if path.name in NAMES],
        names=NAMES,
        base_url=settings.base_url,
    )


@get("/waves/{wave:str}/certificate/{name:str}", guards=[may("certificate.see")])
async def download_file(request: AnyRequest, wave: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """One finished file of the wave; only the names of the list above are handed out."""
    row = await load_wave(wave)
    made = {path.name: path for path in files_in(request.app.state.settings.out / row.wave)}
    if name not in NAMES or name not in made:
        raise UnknownPageError("文件", f"没有“{name[:60]}”", "签发以后才有；请回到“结果证书”看现有的文件")
    return download(made[name].read_bytes(), f"{row.county}_{row.wave}_{name}")


@post("/waves/{wave:str}/pack", guards=[may("certificate.see")], status_code=200)
async def post_pack(request: AnyRequest, wave: FromPath[str]) -> Response[Any]:
    """建档包: everything an inspection asks for in one ZIP; a POST, because it is kept in the trail."""
    app, row, by = request.app.state, await load_wave(wave), person_of(request).name
    return await make(
        request, row, PACK,
        lambda file, tell: pack_wave(app.settings, wave, file, actor=by, now=app.now(), progress=tell),
    )  # fmt: skip


CERTIFICATE_ROUTES = (show_certificate, download_file, post_pack)

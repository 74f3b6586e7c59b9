"""What a browser calls itself, in two words a person knows; never where it is."""

from survey.web.pages import AnyConnection

_BROWSERS = (
    ("micromessenger", "微信"),
    ("edg", "Edge"),
    ("firefox", "Firefox"),
    ("chrome", "Chrome"),
    ("safari", "Safari"),
)
_SYSTEMS = (
    ("harmony", "鸿蒙"),
    ("android", "安卓"),
    ("iphone", "iPhone"),
    ("ipad", "iPad"),
    ("windows", "Windows"),
    ("mac os", "Mac"),
    ("linux", "Linux"),
)


def device_of(connection: AnyConnection) -> str:
    """Browser and system of a request, from our own words only."""
    return device_words(connection.headers.get("user-agent", ""))


def device_words(agent: str) -> str:
    """Browser and system that a User-Agent names.

    >>> device_words("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/142.0 Safari/537.36 Edg/142.0")
    'Edge，Windows'
    >>> device_words("<script>")
    '其他浏览器'
    """
    said = agent[:500].lower()
    browser = next((word for sign, word in _BROWSERS if sign in said), "其他浏览器")
    system = next((word for sign, word in _SYSTEMS if sign in said), "")
    return f"{browser}，{system}" if system else browser

"""Names that attack programs that show or read them."""

HOSTILE = [
    "</script><script>alert(1)</script>&amp;\"'`|{{7*7}}",
    "a,b;\"c\"\r\nd\te\\n\\",
    "\u202egnp.exe\u2066\u200f end",
    "x" * 300,
    "=cmd|' /C calc'!A0",
    "\u89e3\u7801 \U0001f600 e\u0301",
]

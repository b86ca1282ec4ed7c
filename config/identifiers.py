"""Which identifiers are valid: UPN, ULN, NHS number and postcode, over whole columns.

A code such as UN1 in a UPN column says why there is no number and is never a UPN; two children share it without being one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

UPN_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"
_POSTCODE = r"(?:GIR 0AA|[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][ABD-HJLNP-UW-Z]{2})"


def _searched(text: pd.Series) -> pd.Series:
    """The same text as Arrow keeps it, whose patterns are the faster ones and the same everywhere: a digit is one of 0 to 9."""
    import numpy as np
    import pandas as pd

    return text.astype(pd.StringDtype("pyarrow", na_value=np.nan))


def _digits_sum(text: pd.Series, weights: range, start: int) -> pd.Series:
    """The weighted sum of the characters from `start` on; every text is known and as long as the weights ask for."""
    import numpy as np
    import pandas as pd

    values = np.zeros(128, dtype="int64")
    for character, value in _CHARACTER_VALUES.items():
        values[ord(character)] = value
    last = start + len(weights)
    letters = text.to_numpy(dtype=f"U{last}").view("uint32").reshape(len(text), last)[:, start:]
    digits = values[np.minimum(letters, 127)]
    return pd.Series(digits @ np.array(weights), index=text.index)


_CHARACTER_VALUES = {str(digit): digit for digit in range(10)} | {
    letter: value for value, letter in enumerate(UPN_LETTERS)
}


def upn_is_valid(upn: pd.Series) -> pd.Series:
    """True for a UPN of valid form (13 characters, permanent or temporary) whose check letter is right; twelve zeros are a filler.

    The letter is the sum of each later character times its position (2 to 13), modulo 23, in an alphabet without I, O and S.
    """
    upn = _searched(upn)
    has_form = upn.str.fullmatch(rf"[{UPN_LETTERS}]\d{{11}}[\d{UPN_LETTERS}]").fillna(False).astype(bool)
    text = upn.where(has_form, "A000000000000")
    check = _digits_sum(text, range(2, 14), 1) % 23
    is_filler = text.str[1:].str.fullmatch("0{12}").fillna(False).astype(bool)
    return has_form & ~is_filler & (text.str[0] == check.map(dict(enumerate(UPN_LETTERS))))


def upn_is_permanent(upn: pd.Series) -> pd.Series:
    """True for a valid UPN that is not a temporary one (those end in a letter)."""
    upn = _searched(upn)
    return upn_is_valid(upn) & upn.str[-1].str.isdigit().fillna(False).astype(bool)


def upn_is_unknown_code(upn: pd.Series) -> pd.Series:
    """True where the column holds a reason code (UN1 and so on) instead of a UPN."""
    return _searched(upn).str.fullmatch(r"UN\d{1,2}").fillna(False).astype(bool)


def uln_is_valid(uln: pd.Series) -> pd.Series:
    """True for a ULN of 10 digits, not beginning with 0, whose check digit is right (weights 10 to 2, modulo 11)."""
    has_form = uln.str.fullmatch(r"[1-9]\d{9}").fillna(False).astype(bool)
    text = uln.where(has_form, "1000000027")
    remainder = _digits_sum(text, range(10, 1, -1), 0) % 11
    return has_form & (remainder != 0) & ((10 - remainder) == text.str[9].astype("int64")) & (uln != "9999999999")


def nhs_is_valid(nhs: pd.Series) -> pd.Series:
    """True for an NHS number of 10 digits whose check digit is right; 9999999999 is a filler and is not."""
    digits = nhs.str.replace(r"\s", "", regex=True)
    has_form = digits.str.fullmatch(r"\d{10}").fillna(False).astype(bool)
    text = digits.where(has_form, "0000000000")
    check = (11 - _digits_sum(text, range(10, 1, -1), 0) % 11) % 11
    return has_form & (check == text.str[9].astype("int64")) & (check != 10) & (digits != "9999999999")


def postcode_key(postcode: pd.Series) -> pd.Series:
    """Postcodes in one form (``NM1 1GD``); missing where the form is wrong or the postcode is a filler such as ZZ99 3VZ."""
    squeezed = _searched(postcode).str.upper().str.replace(r"[^A-Z0-9]", "", regex=True)
    spaced = squeezed.str.replace(r"^(.+)(.{3})$", r"\1 \2", regex=True)
    is_usable = spaced.str.fullmatch(_POSTCODE).fillna(False).astype(bool) & ~spaced.str.startswith("ZZ", na=False)
    return spaced.where(is_usable).astype(postcode.dtype)

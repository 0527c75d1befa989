"""DES of one block, as VNC authentication needs it (RFC 6143 7.2.2, FIPS 46-3); slow and small.

In: an 8-byte key and 8-byte blocks. Out: the encrypted blocks. VNC mirrors the bits of each key
byte. Written here because no dependency of the project has DES any more.
"""

from collections.abc import Sequence

IP = [bit + row for row in (1, 3, 5, 7, 0, 2, 4, 6) for bit in range(56, -1, -8)]
FP = [IP.index(place) for place in range(64)]
EXPAND = [(4 * row + bit - 1) % 32 for row in range(8) for bit in range(6)]
P = [15, 6, 19, 20, 28, 11, 27, 16, 0, 14, 22, 25, 4, 17, 30, 9,
     1, 7, 23, 13, 31, 26, 2, 8, 18, 12, 29, 5, 21, 10, 3, 24]
PC1 = [56, 48, 40, 32, 24, 16, 8, 0, 57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2,
       59, 51, 43, 35, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 60, 52, 44,
       36, 28, 20, 12, 4, 27, 19, 11, 3]
PC2 = [13, 16, 10, 23, 0, 4, 2, 27, 14, 5, 20, 9, 22, 18, 11, 3, 25, 7, 15, 6, 26, 19, 12, 1,
       40, 51, 30, 36, 46, 54, 29, 39, 50, 44, 32, 47, 43, 48, 38, 55, 33, 52, 45, 41, 49, 35,
       28, 31]
TURNS = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1]
BOXES = [[int(digit, 16) for digit in box] for box in (
    "e4d12fb83a6c5907" "0f74e2d1a6cb9538" "41e8d62bfc973a50" "fc8249175b3ea06d",
    "f18e6b34972dc05a" "3d47f28ec01a69b5" "0e7ba4d158c6932f" "d8a13f42b67c05e9",
    "a09e63f51dc7b428" "d709346a285ecbf1" "d6498f30b12c5ae7" "1ad069874fe3b52c",
    "7de3069a1285bc4f" "d8b56f03472c1ae9" "a690cb7df13e5284" "3f06a1d8945bc72e",
    "2c417ab6853fd0e9" "eb2c47d150fa3986" "421bad78f9c5630e" "b8c71e2d6f09a453",
    "c1af92680d34e75b" "af427c9561de0b38" "9ef528c3704a1db6" "432c95fabe17608d",
    "4b2ef08d3c975a61" "d0b7491ae35c2f86" "14bdc37eaf680592" "6bd814a7950fe23c",
    "d2846fb1a93e50c7" "1fd8a374c56b0e92" "7b419ce206adf358" "21e74a8dfc90356b")]


def encrypt(key: bytes, block: bytes) -> bytes:
    """Encrypt one block."""
    keys = schedule(key)
    text = pick(bits(block), IP)
    left, right = text[:32], text[32:]
    for subkey in keys:
        left, right = right, xor(left, pick(scramble(xor(pick(right, EXPAND), subkey)), P))
    return unbits(pick(right + left, FP))


def vnc_response(password: str, challenge: bytes) -> bytes:
    """Answer the 16-byte challenge of VNC authentication with the first 8 characters."""
    key = bytes(int(f"{byte:08b}"[::-1], 2) for byte in password.encode()[:8].ljust(8, b"\0"))
    return encrypt(key, challenge[:8]) + encrypt(key, challenge[8:])


def schedule(key: bytes) -> list[list[int]]:
    """Return the 16 subkeys of 48 bits."""
    place = pick(bits(key), PC1)
    left, right = place[:28], place[28:]
    keys = []
    for turn in TURNS:
        left, right = left[turn:] + left[:turn], right[turn:] + right[:turn]
        keys.append(pick(left + right, PC2))
    return keys


def scramble(text: list[int]) -> list[int]:
    """Replace 48 bits by 32 through the eight boxes."""
    out: list[int] = []
    for number, box in enumerate(BOXES):
        six = text[6 * number:6 * number + 6]
        row = 2 * six[0] + six[5]
        column = 8 * six[1] + 4 * six[2] + 2 * six[3] + six[4]
        out += [int(bit) for bit in f"{box[16 * row + column]:04b}"]
    return out


def pick(text: Sequence[int], places: Sequence[int]) -> list[int]:
    return [text[place] for place in places]


def xor(one: Sequence[int], other: Sequence[int]) -> list[int]:
    return [a ^ b for a, b in zip(one, other, strict=True)]


def bits(data: bytes) -> list[int]:
    return [int(bit) for byte in data for bit in f"{byte:08b}"]


def unbits(text: Sequence[int]) -> bytes:
    return int("".join(map(str, text)), 2).to_bytes(8, "big")

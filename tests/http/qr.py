# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads a QR code of half blocks (ISO/IEC 18004), as a phone would: versions 2 to 5, error correction L, bytes."""

# version: alignment pattern's centre, data codewords (error correction L has one block in these)
VERSIONS = {2: (18, 34), 3: (22, 55), 4: (26, 80), 5: (30, 108)}
MASKS = [lambda y, x: (x + y) % 2, lambda y, x: y % 2, lambda y, x: x % 3, lambda y, x: (x + y) % 3,
         lambda y, x: (y // 2 + x // 3) % 2, lambda y, x: x * y % 2 + x * y % 3,
         lambda y, x: (x * y % 2 + x * y % 3) % 2, lambda y, x: ((x + y) % 2 + x * y % 3) % 2]


def modules(text):
    """Rows of modules without the quiet zone; 1 is dark, which is what is not printed."""
    rows = []
    for line in text.splitlines():
        rows.append([c in " ▄" for c in line])
        rows.append([c in " ▀" for c in line])
    dark = [i for i, row in enumerate(rows) if any(row)]
    size = dark[-1] - dark[0] + 1
    quiet = dark[0]
    assert quiet == 4 and all(len(row) == size + 8 for row in rows), "no quiet zone of four modules"
    return [[int(m) for m in row[4:4 + size]] for row in rows[4:4 + size]]


def is_function(y, x, size, centre):
    finder = (y < 9 and (x < 9 or x > size - 9)) or (y > size - 9 and x < 9)
    return finder or y == 6 or x == 6 or (abs(y - centre) < 3 and abs(x - centre) < 3)


def bits(grid, centre, mask):
    size, up, x = len(grid), True, len(grid) - 1
    while x > 0:
        x -= x == 6
        for y in (range(size - 1, -1, -1) if up else range(size)):
            for column in (x, x - 1):
                if not is_function(y, column, size, centre):
                    yield grid[y][column] ^ (not MASKS[mask](y, column))
        up, x = not up, x - 2


def read(text):
    grid = modules(text)
    centre, codewords = VERSIONS[(len(grid) - 17) // 4]
    form = [b ^ int(m) for b, m in zip([grid[8][x] for x in range(5)], "10101")]
    assert form[:2] == [0, 1], "error correction L"
    stream = list(bits(grid, centre, form[2] * 4 + form[3] * 2 + form[4]))[:codewords * 8]
    value = lambda at, count: int("".join(str(int(b)) for b in stream[at:at + count]), 2)
    assert value(0, 4) == 4, "bytes"
    return bytes(value(12 + 8 * i, 8) for i in range(value(4, 8))).decode()

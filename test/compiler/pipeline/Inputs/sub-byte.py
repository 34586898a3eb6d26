# SPDX-License-Identifier: Apache-2.0
"""sub-byte.py write|check FOLDER: weights and inputs of sub-byte.onnxtxt, and its results."""
import struct
import sys

ROWS = 5000
PACKED = bytes(i * 37 % 256 for i in range(ROWS))  # read as 2 and as 4 bits an element


def elements(bits, signed):
    mask, half = (1 << bits) - 1, 1 << (bits - 1)
    for byte in PACKED:
        for shift in range(0, 8, bits):
            value = byte >> shift & mask
            yield value - 2 * half if signed and value >= half else value


def npy(path, code, shape, data):
    header = f"{{'descr': '{code}', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    with open(path, "wb") as out:
        out.write(b"\x93NUMPY\x01\0" + struct.pack("<H", len(header)) + header.encode() + data)


mode, folder = sys.argv[1:]
if mode == "write":
    with open(folder + "/packed.bin", "wb") as out:
        out.write(PACKED)
    npy(folder + "/s.npy", "<f4", "()", struct.pack("<f", 0.5))
else:
    floats = [-x if sign else x for sign in (0, 1) for x in (0, 0.5, 1, 1.5, 2, 3, 4, 6)]
    wanted = {
        "i4": list(elements(4, True)), "u4": list(elements(4, False)),
        "i2": list(elements(2, True)), "u2": list(elements(2, False)),
        "f4": [floats[value] for value in elements(4, False)],
    }
    for name, values in wanted.items():
        with open(f"{folder}/out/{name}.npy", "rb") as file:
            data = file.read()[-4 * len(values):]
        got = struct.unpack(f"<{len(values)}f", data)
        wrong = [i for i, value in enumerate(values) if got[i] != 0.5 * value]
        print(f"{name}: {len(values)} elements, {len(wrong)} wrong")

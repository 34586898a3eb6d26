#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Derives the polynomial coefficients of compiler/target/cpu/MathCoefficients.h.

    python3 tools/minimax/minimax.py > compiler/target/cpu/MathCoefficients.h

Each polynomial is a weighted minimax fit (Remez exchange on a dense grid, 50 digits). Coefficients are
rounded to the format they are used in one at a time, lowest order first; the remaining ones are fitted
again after each rounding, so that they make up for what the rounding took away. Needs mpmath and numpy.
"""
import struct
import sys

import numpy as np
from mpmath import mp, mpf, matrix, lu_solve, cos, pi, exp, log, sin, tanh, erf, erfc, sqrt, atan, asin

mp.dps = 50
GRID = 1200


def round_to(value, fmt):
    """value rounded to nearest in 'f' (binary32) or 'd' (binary64)."""
    d = float(value)
    return mpf(struct.unpack("f", struct.pack("f", d))[0]) if fmt == "f" else mpf(d)


def remez(points, target, weight, powers):
    """Coefficients c minimising max |weight * (sum c_i x^powers_i - target)|, and that maximum."""
    n = len(powers)
    basis = [np.array([x**p for x in points], dtype=object) for p in powers]
    ref = [int(round((len(points) - 1) * (1 - float(cos(pi * i / n))) / 2)) for i in range(n + 1)]
    error = None
    for _ in range(40):
        a, b = matrix(n + 1, n + 1), matrix(n + 1, 1)
        for i, r in enumerate(ref):
            for j in range(n):
                a[i, j] = basis[j][r] * weight[r]
            a[i, n] = (-1) ** i
            b[i] = target[r] * weight[r]
        solution = lu_solve(a, b)
        c = [solution[j] for j in range(n)]
        err = weight * (sum(cj * bj for cj, bj in zip(c, basis)) - target)
        # One extremum per run of equal sign; the n+1 consecutive ones with the largest minimum.
        peaks = [0]
        for i in range(1, len(err)):
            if (err[i] > 0) == (err[peaks[-1]] > 0):
                if abs(err[i]) > abs(err[peaks[-1]]):
                    peaks[-1] = i
            else:
                peaks.append(i)
        worst = max(abs(e) for e in err)
        while len(peaks) > n + 1:
            peaks.pop(0 if abs(err[peaks[0]]) < abs(err[peaks[-1]]) else -1)
        if len(peaks) < n + 1 or (error is not None and peaks == ref):
            break
        ref, error = peaks, worst
    return c, worst


def fit(name, comment, fmt, f, lo, hi, terms, relative_to, refit=True):
    """Prints `name`: f(x) ~ sum_i c_i x^i on [lo, hi], i < terms; weight 1 / relative_to(x).

    Without `refit` all coefficients are rounded at once: for an interval around 0, where the higher
    monomials alone have no alternating solution.
    """
    if len(sys.argv) > 1 and name not in sys.argv[1:]:
        return
    lo, hi = mpf(lo), mpf(hi)
    xs = [(lo + hi) / 2 - (hi - lo) / 2 * cos(pi * (2 * i + 1) / (2 * GRID)) for i in range(GRID)]
    target = np.array([f(x) for x in xs], dtype=object)
    weight = np.array([abs(1 / relative_to(x)) for x in xs], dtype=object)
    powers, done = list(range(terms)), []
    rest = target
    while powers:
        c, _ = remez(xs, rest, weight, powers)
        settled = [round_to(ci, fmt) for ci in (c[:1] if refit else c)]
        for power, value in zip(powers, settled):
            rest = rest - np.array([value * x**power for x in xs], dtype=object)
        done += settled
        powers = powers[len(settled) :]
    worst = max(abs(e) for e in weight * rest)
    print(f"/// {comment}\n/// On [{float(lo):.6g}, {float(hi):.6g}]; error 2^{float(log(worst, 2)):.1f}.")
    print(f"inline constexpr double {name}[] = {{")
    for i in range(0, terms, 3):
        print("    " + ", ".join(float(v).hex() for v in done[i : i + 3]) + ",")
    print("};\n")
    print(f"{name}: 2^{float(log(worst, 2)):.2f}", file=sys.stderr, flush=True)


def with_more_digits(f):
    def g(x):
        with mp.workdps(120):
            return f(mpf(x))
    return g


def even(f):
    """f as a function of z = x^2."""
    return with_more_digits(lambda z: f(sqrt(z)))


HALF_LN2 = log(mpf(2)) / 2 * mpf("1.002")
QUARTER_PI = pi / 4 * mpf("1.0005")


def main():
    print("// SPDX-License-Identifier: Apache-2.0\n//\n// Minimax polynomials, lowest order first. "
          "Made by tools/minimax/minimax.py: do not edit.\n")
    print("#ifndef BURIN_COMPILER_TARGET_CPU_MATHCOEFFICIENTS_H\n#define BURIN_COMPILER_TARGET_CPU_MATHCOEFFICIENTS_H\n")
    print("namespace burin::coefficients {\n")

    def exp_tail(x):
        return (exp(x) - 1 - x) / x**2

    def log_tail(x):
        return (log(1 + x) - x + x * x / 2) / x**3

    def log_s_tail(s):  # (log((1+s)/(1-s)) - 2s) / s^3
        return (log((1 + s) / (1 - s)) - 2 * s) / s**3

    def f64_tail(s):  # (log((1+s)/(1-s)) - 2s - 2/3 s^3) / s^5
        return (log((1 + s) / (1 - s)) - 2 * s - 2 * s**3 / 3) / s**5

    w = with_more_digits
    smax = (sqrt(mpf(2)) - 1) / (sqrt(mpf(2)) + 1)

    # binary32
    fit("kExpF32", "(e^r - 1 - r) / r^2; relative to e^r.", "f", w(exp_tail), -HALF_LN2, HALF_LN2, 5,
        lambda x: exp(x) / x**2)
    fit("kLogF32", "(log(1+f) - f + f^2/2) / f^3; relative to log(1+f).", "f", w(log_tail), sqrt(mpf(0.5)) - 1,
        sqrt(mpf(2)) - 1, 9, lambda x: log(1 + x) / x**3, refit=False)
    fit("kTanhF32", "(tanh(x) - x) / x^3 in z = x^2; relative to tanh(x).", "f",
        even(lambda x: (tanh(x) - x) / x**3), mpf("1e-9"), mpf("0.625") ** 2, 5, even(lambda x: tanh(x) / x**3))
    fit("kErfSmallF32", "erf(x)/x - 1 in z = x^2; relative to erf(x)/x.", "f",
        even(lambda x: erf(x) / x - 1), mpf("1e-12"), mpf("1.128") ** 2, 7, even(lambda x: erf(x) / x))
    fit("kErfLargeF32", "erf(t + 2.40625); relative. Positive at its end, where erf rounds to 1.", "f",
        w(lambda t: erf(t + mpf("2.40625"))),
        mpf("1.125") - mpf("2.40625"), mpf(4) - mpf("2.40625"), 15, lambda t: erf(t + mpf("2.40625")), refit=False)
    fit("kSinF32", "(sin(r) - r) / r^3 in z = r^2; relative to sin(r).", "f",
        even(lambda x: (sin(x) - x) / x**3), mpf("1e-12"), QUARTER_PI**2, 3, even(lambda x: sin(x) / x**3))
    fit("kCosF32", "(cos(r) - 1 + r^2/2) / r^4 in z = r^2; relative to cos(r).", "f",
        even(lambda x: (cos(x) - 1 + x * x / 2) / x**4), mpf("1e-12"), QUARTER_PI**2, 3,
        even(lambda x: cos(x) / x**4))

    # binary64, accurate enough for a binary32 result
    fit("kLogShort", "(log((1+s)/(1-s)) - 2s) / s^3 in z = s^2; for binary32 results.", "d",
        even(log_s_tail), mpf("1e-12"), smax**2 * mpf("1.001"), 5, even(lambda s: 2 / s**2))

    # binary64
    fit("kExpF64", "(e^r - 1 - r) / r^2; relative to e^r.", "d", w(exp_tail), -HALF_LN2, HALF_LN2, 10,
        lambda x: exp(x) / x**2)
    fit("kLogF64", "(log((1+s)/(1-s)) - 2s) / s^3 in z = s^2; relative to 2/s^2.", "d",
        even(log_s_tail), mpf("1e-14"), smax**2 * mpf("1.001"), 7, even(lambda s: 2 / s**2))
    fit("kLogTailF64", "(log((1+s)/(1-s)) - 2s - 2/3 s^3) / s^5 in z = s^2; relative to 2/s^4.", "d",
        even(f64_tail), mpf("1e-14"), smax**2 * mpf("1.001"), 8, even(lambda s: 2 / s**4))
    fit("kSinF64", "(sin(r) - r) / r^3 in z = r^2; relative to sin(r).", "d",
        even(lambda x: (sin(x) - x) / x**3), mpf("1e-14"), QUARTER_PI**2, 6, even(lambda x: sin(x) / x**3))
    fit("kCosF64", "(cos(r) - 1 + r^2/2) / r^4 in z = r^2; relative to cos(r).", "d",
        even(lambda x: (cos(x) - 1 + x * x / 2) / x**4), mpf("1e-14"), QUARTER_PI**2, 6,
        even(lambda x: cos(x) / x**4))
    fit("kAtanF64", "(atan(t) - t) / t^3 in z = t^2; relative to atan(t).", "d",
        even(lambda x: (atan(x) - x) / x**3), mpf("1e-14"), mpf("0.4143") ** 2, 13, even(lambda x: atan(x) / x**3))
    fit("kAsinF64", "(asin(x) - x) / x^3 in z = x^2; relative to asin(x).", "d",
        even(lambda x: (asin(x) - x) / x**3), mpf("1e-14"), mpf("0.25"), 13, even(lambda x: asin(x) / x**3))
    fit("kErfSmallF64", "erf(x)/x - 1 in z = x^2; relative to erf(x)/x.", "d",
        even(lambda x: erf(x) / x - 1), mpf("1e-14"), mpf(1), 13, even(lambda x: erf(x) / x))
    k = mpf(4)
    fit("kErfcF64", "(1 + 2x) exp(x^2) erfc(x) in t = (x-4)/(x+4), x in [0.88, 28].", "d",
        w(lambda t: (1 + 2 * k * (1 + t) / (1 - t)) * exp((k * (1 + t) / (1 - t)) ** 2) * erfc(k * (1 + t) / (1 - t))),
        mpf("-0.64"), mpf("0.75"), 22, lambda t: mpf(1), refit=False)
    print("} // namespace burin::coefficients\n\n#endif")


main()

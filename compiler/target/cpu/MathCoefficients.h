// SPDX-License-Identifier: Apache-2.0
//
// Minimax polynomials, lowest order first. Made by tools/minimax/minimax.py: do not edit.

#ifndef BURIN_COMPILER_TARGET_CPU_MATHCOEFFICIENTS_H
#define BURIN_COMPILER_TARGET_CPU_MATHCOEFFICIENTS_H

namespace burin::coefficients {

/// (e^r - 1 - r) / r^2; relative to e^r.
/// On [-0.347267, 0.347267]; error 2^-28.2.
inline constexpr double kExpF32[] = {
    0x1.fffffc0000000p-2, 0x1.55548a0000000p-3, 0x1.55584e0000000p-5,
    0x1.123f300000000p-7, 0x1.6ad1580000000p-10,
};

/// (log(1+f) - f + f^2/2) / f^3; relative to log(1+f).
/// On [-0.292893, 0.414214]; error 2^-28.2.
inline constexpr double kLogF32[] = {
    0x1.5555480000000p-2, -0x1.0000060000000p-2, 0x1.99a4b60000000p-3,
    -0x1.555c4e0000000p-3, 0x1.2337680000000p-3, -0x1.fc220a0000000p-4,
    0x1.e6f06a0000000p-4, -0x1.de3c040000000p-4, 0x1.1457940000000p-4,
};

/// (tanh(x) - x) / x^3 in z = x^2; relative to tanh(x).
/// On [1e-09, 0.390625]; error 2^-27.7.
inline constexpr double kTanhF32[] = {
    -0x1.5555320000000p-2, 0x1.1106f60000000p-3, -0x1.b835a40000000p-5,
    0x1.51f8ce0000000p-6, -0x1.750ce40000000p-8,
};

/// erf(x)/x - 1 in z = x^2; relative to erf(x)/x.
/// On [1e-12, 1.27238]; error 2^-27.2.
inline constexpr double kErfSmallF32[] = {
    0x1.06eba80000000p-3, -0x1.81272e0000000p-2, 0x1.ce297a0000000p-4,
    -0x1.b7bae60000000p-6, 0x1.5226b00000000p-8, -0x1.96ee260000000p-11,
    0x1.27b6fc0000000p-14,
};

/// erf(t + 2.40625); relative. Positive at its end, where erf rounds to 1.
/// On [-1.28125, 1.59375]; error 2^-26.6.
inline constexpr double kErfLargeF32[] = {
    0x1.ffa8a00000000p-1, 0x1.c440e40000000p-9, -0x1.1011920000000p-7,
    0x1.8ebf260000000p-7, -0x1.84f6c80000000p-7, 0x1.fd96c60000000p-8,
    -0x1.93c75a0000000p-9, 0x1.1556600000000p-12, 0x1.0eb0b00000000p-11,
    -0x1.5663d60000000p-12, 0x1.b3ebf20000000p-15, 0x1.073a700000000p-15,
    -0x1.e11e780000000p-17, 0x1.85b2280000000p-24, 0x1.3ce7fa0000000p-21,
};

/// (sin(r) - r) / r^3 in z = r^2; relative to sin(r).
/// On [1e-12, 0.617467]; error 2^-27.9.
inline constexpr double kSinF32[] = {
    -0x1.5555460000000p-3, 0x1.1107760000000p-7, -0x1.9952fa0000000p-13,
};

/// (cos(r) - 1 + r^2/2) / r^4 in z = r^2; relative to cos(r).
/// On [1e-12, 0.617467]; error 2^-33.0.
inline constexpr double kCosF32[] = {
    0x1.55554a0000000p-5, -0x1.6c0c280000000p-10, 0x1.99e80c0000000p-16,
};

/// (log((1+s)/(1-s)) - 2s) / s^3 in z = s^2; for binary32 results.
/// On [1e-12, 0.0294667]; error 2^-44.9.
inline constexpr double kLogShort[] = {
    0x1.555555561f331p-1, 0x1.999996a67ba44p-2, 0x1.2494133640101p-2,
    0x1.c62aa0637c5f8p-3, 0x1.911c930952b7ap-3,
};

/// (e^r - 1 - r) / r^2; relative to e^r.
/// On [-0.347267, 0.347267]; error 2^-57.7.
inline constexpr double kExpF64[] = {
    0x1.000000000000ap-1, 0x1.55555555554fdp-3, 0x1.55555555505e3p-5,
    0x1.11111111267fdp-7, 0x1.6c16c184c1d59p-10, 0x1.a01a01337caf6p-13,
    0x1.a019985e6bc83p-16, 0x1.71df0b3544a6cp-19, 0x1.28af124cac874p-22,
    0x1.adb259d74473dp-26,
};

/// (log((1+s)/(1-s)) - 2s) / s^3 in z = s^2; relative to 2/s^2.
/// On [1e-14, 0.0294667]; error 2^-59.5.
inline constexpr double kLogF64[] = {
    0x1.5555555555593p-1, 0x1.999999997f9f8p-2, 0x1.249249422a45cp-2,
    0x1.c71c51d7d159ep-3, 0x1.746649ae294b9p-3, 0x1.39a095d24dc74p-3,
    0x1.2f117acbeb935p-3,
};

/// (log((1+s)/(1-s)) - 2s - 2/3 s^3) / s^5 in z = s^2; relative to 2/s^4.
/// On [1e-14, 0.0294667]; error 2^-73.5.
inline constexpr double kLogTailF64[] = {
    0x1.9999999999996p-2, 0x1.2492492492f56p-2, 0x1.c71c71c595949p-3,
    0x1.745d1829f0138p-3, 0x1.3b136499d245bp-3, 0x1.11207711999b2p-3,
    0x1.de3c17fab2342p-4, 0x1.ead198fa494a2p-4,
};

/// (sin(r) - r) / r^3 in z = r^2; relative to sin(r).
/// On [1e-14, 0.617467]; error 2^-57.9.
inline constexpr double kSinF64[] = {
    -0x1.5555555555548p-3, 0x1.111111110f730p-7, -0x1.a01a019be9215p-13,
    0x1.71de35552b1d3p-19, -0x1.ae5e4b83a8efbp-26, 0x1.5d8b557ec87a0p-33,
};

/// (cos(r) - 1 + r^2/2) / r^4 in z = r^2; relative to cos(r).
/// On [1e-14, 0.617467]; error 2^-63.9.
inline constexpr double kCosF64[] = {
    0x1.555555555554bp-5, -0x1.6c16c16c1500dp-10, 0x1.a01a019c8dd1cp-16,
    -0x1.27e4f7f04ffb6p-22, 0x1.1ee9dacb688c5p-29, -0x1.8fa5ec71b49d7p-37,
};

/// (atan(t) - t) / t^3 in z = t^2; relative to atan(t).
/// On [1e-14, 0.171644]; error 2^-65.9.
inline constexpr double kAtanF64[] = {
    -0x1.5555555555555p-2, 0x1.9999999999889p-3, -0x1.2492492488c61p-3,
    0x1.c71c71c1c40ccp-4, -0x1.745d166359f91p-4, 0x1.3b13993193edbp-4,
    -0x1.110f58e88b1c1p-4, 0x1.e1b63cfc18fc4p-5, -0x1.ada39b1dd0cbbp-5,
    0x1.7c9a0bf5d253dp-5, -0x1.3b1581df2796fp-5, 0x1.9f6621cda604fp-6,
    -0x1.2baaf7acb5f5ep-7,
};

/// (asin(x) - x) / x^3 in z = x^2; relative to asin(x).
/// On [1e-14, 0.25]; error 2^-59.9.
inline constexpr double kAsinF64[] = {
    0x1.5555555555577p-3, 0x1.333333332e131p-4, 0x1.6db6db7212678p-5,
    0x1.f1c71a94f3366p-6, 0x1.6e8bdee035429p-6, 0x1.1c49f05db6131p-6,
    0x1.ca1f8d5aae271p-7, 0x1.75858a6090482p-7, 0x1.613c880cee152p-7,
    0x1.e5f5d40d68ab4p-9, 0x1.639c56f8a176fp-6, -0x1.57fd4e3b5bfc8p-6,
    0x1.0b46ac812b381p-5,
};

/// erf(x)/x - 1 in z = x^2; relative to erf(x)/x.
/// On [1e-14, 1]; error 2^-56.3.
inline constexpr double kErfSmallF64[] = {
    0x1.06eba8214db69p-3, -0x1.812746b037a25p-2, 0x1.ce2f21a0458d8p-4,
    -0x1.b82ce31354cf2p-6, 0x1.565bcd2c630ddp-8, -0x1.c02db93317a37p-11,
    0x1.f9a3b951423a9p-14, -0x1.f4dcf10dcc7f2p-17, 0x1.ba690ec559623p-20,
    -0x1.639082768ea6fp-23, 0x1.131ede2226806p-26, -0x1.c4ac99cfd4406p-30,
    0x1.3b8b6d8db1342p-33,
};

/// (1 + 2x) exp(x^2) erfc(x) in t = (x-4)/(x+4), x in [0.88, 28].
/// On [-0.64, 0.75]; error 2^-54.1.
inline constexpr double kErfcF64[] = {
    0x1.3ba5916e9fd7fp+0, -0x1.1df1ad154a28ep-3, 0x1.f7f5df66fd7f8p-7,
    0x1.16ecefcfa52a5p-4, -0x1.9ddb23c3e934fp-4, 0x1.7fee004e1547cp-4,
    -0x1.0fb06dfe44742p-4, 0x1.3079edf5f9e7ep-5, -0x1.0962388637a85p-6,
    0x1.49c672bd042e6p-8, -0x1.8d4a98b940998p-11, -0x1.a1df5ac357963p-13,
    0x1.3be027d7119f4p-13, -0x1.99510e24f6623p-16, -0x1.7881cc61d6690p-17,
    0x1.7ec10d5496565p-18, 0x1.399d4f1348d77p-22, -0x1.b4a82a62022ddp-21,
    0x1.41cf5ae128cd0p-24, 0x1.9d82142c6da31p-24, -0x1.0f5f1b650a355p-26,
    -0x1.b10f1d9f034afp-28,
};

} // namespace burin::coefficients

#endif

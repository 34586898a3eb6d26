// SPDX-License-Identifier: Apache-2.0
//
// Measures the expansions of expand-math against libm in the next wider format,
// in units in the last place of the result. Usage: accuracy [--exhaustive] [function...]
// Exits 1 when a function exceeds its bound (docs/rationale/maths.md).

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#define UNARY(F)                                                                                    \
  F(exp) F(expdown) F(exp2) F(expm1) F(log) F(log1p) F(log2) F(log10) F(tanh) F(erf) F(erfc) F(sin) F(cos)    \
  F(tan) F(asin) F(acos) F(atan) F(sinh) F(cosh) F(asinh) F(acosh) F(atanh) F(cbrt) F(sqrt) F(rsqrt)
#define BINARY(F) F(pow) F(atan2) F(fmod)

extern "C" {
#define F(name)                                                                                     \
  void burin_##name##f(const float *, float *);                                                    \
  void burin_##name(const double *, double *);
UNARY(F)
#undef F
#define F(name)                                                                                     \
  void burin_##name##f(const float *, const float *, float *);                                     \
  void burin_##name(const double *, const double *, double *);
BINARY(F)
#undef F
}

namespace {

template <typename T> T expdown(T x) { return std::exp(x > 0 ? T(0) : x); }
template <typename T> T rsqrt(T x) { return 1 / std::sqrt(x); }

template <typename T> struct Wider;
template <> struct Wider<float> { using Type = double; };
template <> struct Wider<double> { using Type = long double; };
template <typename T> using Wide = typename Wider<T>::Type;

/// Distance of `got` from `exact` in units in the last place; infinite for a wrong special value.
template <typename T> double errorInUlp(T got, Wide<T> exact) {
  T rounded = T(exact);
  if (std::isnan(got) || std::isnan(rounded))
    return std::isnan(got) && std::isnan(rounded) ? 0 : INFINITY;
  if (std::isinf(got) || std::isinf(rounded)) {
    // One ulp on either side of the overflow threshold.
    if (got == rounded)
      return 0;
    T max = std::numeric_limits<T>::max();
    return (got == std::copysign(max, rounded) || std::fabs(rounded) == max) ? 1 : INFINITY;
  }
  if (got == 0 && exact == 0)
    return std::signbit(got) == std::signbit(exact) ? 0 : INFINITY;
  int exponent = std::max(std::ilogb(rounded == 0 ? std::numeric_limits<T>::min() : rounded),
                          std::numeric_limits<T>::min_exponent - 1);
  Wide<T> ulp = std::ldexp(Wide<T>(1), exponent - std::numeric_limits<T>::digits + 1);
  return double(std::fabs(Wide<T>(got) - exact) / ulp);
}

struct Worst {
  double error = 0, x = 0, y = 0;
  template <typename T> void add(T got, Wide<T> exact, double atX, double atY = 0) {
    double e = errorInUlp(got, exact);
    if (e > error || std::isnan(e))
      error = e, x = atX, y = atY;
  }
};

template <typename T> struct UnaryCase {
  const char *name;
  void (*function)(const T *, T *);
  Wide<T> (*reference)(Wide<T>);
  double bound;
  double range; ///< |x| at most
};
template <typename T> struct BinaryCase {
  const char *name;
  void (*function)(const T *, const T *, T *);
  Wide<T> (*reference)(Wide<T>, Wide<T>);
  double bound;
};

bool failed = false;
std::vector<std::string> only;

bool wanted(const std::string &name) {
  return only.empty() || std::find(only.begin(), only.end(), name) != only.end();
}

void report(const std::string &name, const Worst &worst, double bound, uint64_t count) {
  bool bad = !(worst.error <= bound);
  failed |= bad;
  printf("%-8s %12.4f ulp  (bound %g)  at %.9g, %.9g  %llu values%s\n", name.c_str(), worst.error, bound,
         worst.x, worst.y, (unsigned long long)count, bad ? "  TOO LARGE" : "");
  fflush(stdout);
}

void testUnary(const UnaryCase<float> &c, uint64_t stride) {
  std::string name = std::string(c.name) + "f";
  if (!wanted(name))
    return;
  Worst worst;
  uint64_t count = 0;
  alignas(64) float in[16], out[16];
  auto flush = [&](int n) {
    for (int i = n; i < 16; ++i)
      in[i] = 0;
    c.function(in, out);
    for (int i = 0; i < n; ++i)
      worst.add<float>(out[i], c.reference(in[i]), in[i]);
    count += n;
  };
  int n = 0;
  auto push = [&](float x) {
    if (std::isfinite(x) && std::fabs(x) > c.range)
      return;
    in[n++] = x;
    if (n == 16)
      flush(16), n = 0;
  };
  for (uint64_t bits = 0; bits <= 0xffffffff; bits += stride)
    push(std::bit_cast<float>(uint32_t(bits)));
  for (uint32_t sign : {0u, 0x80000000u})
    for (uint32_t base : {0u, 1u, 0x007fffffu, 0x00800000u, 0x3f800000u, 0x7f7fffffu, 0x7f800000u, 0x7fc00000u,
                          0x3f000000u, 0x42b17218u, 0x42cff1b5u, 0x3fc90fdbu, 0x40490fdbu})
      for (uint32_t near : {0u, 1u, 2u, ~0u, ~1u})
        if (base + near <= 0x7fc00002u)
          push(std::bit_cast<float>((base + near) | sign));
  flush(n);
  report(name, worst, c.bound, count);
}

double randomDouble(std::mt19937_64 &engine) {
  uint64_t bits = engine();
  switch (bits & 3) {
  case 0: // any
    return std::bit_cast<double>(engine());
  case 1: // of moderate size
    return std::ldexp(double(int64_t(engine())), -63 + int(engine() % 24) - 12);
  default: {
    uint64_t exponent = 1023 - 40 + engine() % 60;
    return std::bit_cast<double>((engine() & 0x800fffffffffffff) | exponent << 52);
  }
  }
}

void testUnary(const UnaryCase<double> &c, uint64_t count) {
  if (!wanted(c.name))
    return;
  Worst worst;
  std::mt19937_64 engine(1);
  const double special[] = {0.0, -0.0, 1.0, -1.0, INFINITY, -INFINITY, NAN, 5e-324, -5e-324, 2.2e-308, 1.7e308, -1.7e308};
  alignas(64) double in[16], out[16];
  for (uint64_t i = 0; i < count; i += 16) {
    for (int j = 0; j < 16; ++j) {
      double x = i == 0 && j < 12 ? special[j] : randomDouble(engine);
      in[j] = std::isfinite(x) && std::fabs(x) > c.range ? 0.5 : x;
    }
    c.function(in, out);
    for (int j = 0; j < 16; ++j)
      worst.add<double>(out[j], c.reference(in[j]), in[j]);
  }
  report(c.name, worst, c.bound, count);
}

template <typename T> T special(unsigned i) {
  const T values[] = {0, -T(0), 1, -1, 2, -2, 3, -3, T(0.5), T(-0.5), INFINITY, -INFINITY, NAN,
                      std::numeric_limits<T>::max(), std::numeric_limits<T>::denorm_min(), T(1.5)};
  return values[i % 16];
}

template <typename T> void testBinary(const BinaryCase<T> &c, uint64_t count) {
  std::string name = std::string(c.name) + (sizeof(T) == 4 ? "f" : "");
  if (!wanted(name))
    return;
  Worst worst;
  std::mt19937_64 engine(2);
  alignas(64) T x[16], y[16], out[16];
  for (uint64_t i = 0; i < count; i += 16) {
    for (unsigned j = 0; j < 16; ++j) {
      x[j] = i < 256 ? special<T>(j) : T(randomDouble(engine));
      y[j] = i < 256 ? special<T>(i / 16) : T(randomDouble(engine));
      if (i >= 256 && c.name[0] == 'p' && (engine() & 3)) { // results that neither overflow nor vanish
        x[j] = std::fabs(x[j]);
        double reach = (sizeof(T) == 4 ? 104 : 745) * (double(int64_t(engine())) * 0x1p-63);
        double log = std::log(double(x[j]));
        if (std::isfinite(log) && log != 0)
          y[j] = T(reach / log);
      }
    }
    c.function(x, y, out);
    for (unsigned j = 0; j < 16; ++j)
      worst.add<T>(out[j], c.reference(x[j], y[j]), double(x[j]), double(y[j]));
  }
  report(name, worst, c.bound, count);
}

} // namespace

int main(int argc, char **argv) {
  bool exhaustive = false;
  for (int i = 1; i < argc; ++i)
    if (!strcmp(argv[i], "--exhaustive"))
      exhaustive = true;
    else
      only.push_back(argv[i]);

  uint64_t stride = exhaustive ? 1 : 4099, samples = exhaustive ? 40'000'000 : 400'000;
  constexpr double all = INFINITY;
  // The bounds stated in docs/rationale/maths.md.
  auto single = [&](const char *name, auto f, auto r, double bound, double range = all) {
    testUnary(UnaryCase<float>{name, f, r, bound, range}, stride);
  };
  auto wide = [&](const char *name, auto f, auto r, double bound, double range = all) {
    testUnary(UnaryCase<double>{name, f, r, bound, range}, samples);
  };
  auto bound = [](const std::string &name) {
    for (const char *hot : {"exp", "expdown", "exp2", "expm1", "log", "log1p", "tanh", "erf", "sin", "cos", "rsqrt"})
      if (name == hot)
        return 2.0;
    return 0.51;
  };
  auto range = [](const std::string &name, double trig) {
    return name == "sin" || name == "cos" || name == "tan" ? trig : INFINITY;
  };
#define F(name)                                                                                     \
  single(#name, burin_##name##f, [](double x) -> double { using namespace std; return name(x); },  \
         bound(#name), range(#name, #name[0] == 't' ? 0x1p+30 : 0x1p+48));
  UNARY(F)
#undef F
  testBinary(BinaryCase<float>{"pow", burin_powf, [](double x, double y) { return std::pow(x, y); }, 2}, samples);
  testBinary(BinaryCase<float>{"atan2", burin_atan2f, [](double x, double y) { return std::atan2(x, y); }, 0.51},
             samples);
  testBinary(BinaryCase<float>{"fmod", burin_fmodf, [](double x, double y) { return std::fmod(x, y); }, 0}, samples);
#define F(name)                                                                                     \
  wide(#name, burin_##name, [](long double x) -> long double { using namespace std; return name(x); }, 4, \
       range(#name, 0x1p+30));
  UNARY(F)
#undef F
  testBinary(BinaryCase<double>{"pow", burin_pow, [](long double x, long double y) { return std::pow(x, y); }, 4},
             samples);
  testBinary(BinaryCase<double>{"atan2", burin_atan2, [](long double x, long double y) { return std::atan2(x, y); }, 4},
             samples);
  testBinary(BinaryCase<double>{"fmod", burin_fmod, [](long double x, long double y) { return std::fmod(x, y); }, 0},
             samples);
  // What a GELU adds 1 to must cancel for large negative numbers.
  alignas(64) float large[16] = {-4, -4.5f, -5, -100, -INFINITY}, ones[16];
  burin_erff(large, ones);
  for (int i = 0; i < 5; ++i)
    if (ones[i] != -1)
      printf("erff(%g) is not -1\n", large[i]), failed = true;
  return failed;
}

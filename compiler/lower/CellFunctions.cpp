// SPDX-License-Identifier: Apache-2.0
#include "compiler/lower/CellFunctions.h"

#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace burin::lower {

bool setDefaults(Activation &activation) {
  static const llvm::StringMap<std::pair<double, double>> known = {
      {"relu", {0, 0}},       {"tanh", {0, 0}},        {"sigmoid", {0, 0}},
      {"softsign", {0, 0}},   {"softplus", {0, 0}},    {"affine", {1, 0}},
      {"leakyrelu", {0.01, 0}}, {"thresholdedrelu", {1, 0}}, {"scaledtanh", {1, 1}},
      {"hardsigmoid", {0.2, 0.5}}, {"elu", {1, 0}}};
  auto it = known.find(activation.name);
  if (it == known.end())
    return false;
  std::tie(activation.alpha, activation.beta) = it->second;
  return true;
}

unsigned parameterCount(StringRef name) {
  if (name == "affine" || name == "scaledtanh" || name == "hardsigmoid")
    return 2;
  return name == "leakyrelu" || name == "thresholdedrelu" || name == "elu" ? 1 : 0;
}

Value apply(Scalars &s, const Activation &activation, Value x) {
  Value zero = s.like(x, 0), one = s.like(x, 1);
  Value alpha = s.like(x, activation.alpha), beta = s.like(x, activation.beta);
  StringRef name = activation.name;
  if (name == "tanh")
    return s.tanh(x);
  if (name == "sigmoid")
    return s.sigmoid(x);
  if (name == "relu")
    return s.select(s.less(x, zero), zero, x);
  if (name == "affine")
    return s.add(s.mul(alpha, x), beta);
  if (name == "leakyrelu")
    return s.select(s.less(x, zero), s.mul(alpha, x), x);
  if (name == "thresholdedrelu")
    return s.select(s.less(x, alpha), zero, x);
  if (name == "scaledtanh")
    return s.mul(alpha, s.tanh(s.mul(beta, x)));
  if (name == "hardsigmoid")
    return s.max(zero, s.min(one, s.add(s.mul(alpha, x), beta)));
  if (name == "elu")
    return s.select(s.less(x, zero), s.mul(alpha, s.expm1(x)), x);
  if (name == "softsign")
    return s.div(x, s.add(one, s.abs(x)));
  return s.softplus(x);
}

} // namespace burin::lower

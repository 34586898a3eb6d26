// SPDX-License-Identifier: Apache-2.0
//
// The functions that RNN, GRU and LSTM put on their gates.

#ifndef BURIN_COMPILER_LOWER_CELLFUNCTIONS_H
#define BURIN_COMPILER_LOWER_CELLFUNCTIONS_H

#include "compiler/lower/Scalars.h"

#include <string>

namespace burin::lower {

struct Activation {
  std::string name; // in lower case
  double alpha = 0, beta = 0;

  bool operator==(const Activation &other) const = default;
};

/// Fills in the defaults that ONNX gives for the name; false if there is no such function.
bool setDefaults(Activation &activation);

/// How many parameters a function takes: alpha, then beta.
unsigned parameterCount(llvm::StringRef name);

mlir::Value apply(Scalars &s, const Activation &activation, mlir::Value x);

} // namespace burin::lower

#endif

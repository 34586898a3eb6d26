// SPDX-License-Identifier: Apache-2.0
#include "dialects/kern/KernOps.h"

using namespace mlir;
using namespace burin::kern;

#include "dialects/kern/KernOpsDialect.cpp.inc"

void KernDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialects/kern/KernOps.cpp.inc"
      >();
}

#define GET_OP_CLASSES
#include "dialects/kern/KernOps.cpp.inc"

// SPDX-License-Identifier: Apache-2.0
#include "compiler/pipeline/Registration.h"

#include "compiler/lower/Lowering.h"
#include "compiler/transforms/Passes.h"
#include "dialects/kern/KernBufferization.h"
#include "dialects/kern/KernTiling.h"
#include "dialects/kern/KernOps.h"
#include "dialects/onnx/OnnxOps.h"
#include "dialects/plan/PlanOps.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"

void burin::registerDialects(mlir::DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllToLLVMIRTranslations(registry);
  registry.insert<onnx::OnnxDialect, kern::KernDialect, plan::PlanDialect>();
  kern::registerBufferization(registry);
  kern::registerTiling(registry);
  lower::attachElementwise(registry);
}

void burin::registerPasses() {
  mlir::registerAllPasses();
  registerBurinPasses();
}

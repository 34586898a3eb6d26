// SPDX-License-Identifier: Apache-2.0
#include "compiler/plan/NewKernels.h"

using namespace mlir;

namespace burin {

std::string newKernelName(ModuleOp kernels, const Twine &stem) {
  std::string name, start = stem.str();
  for (unsigned i = 0; name.empty() || kernels.lookupSymbol(name); ++i)
    name = start + std::to_string(i);
  return name;
}

func::FuncOp beginKernel(OpBuilder &builder, ModuleOp kernels, plan::LaunchOp launch, StringRef suffix,
                         TypeRange arguments) {
  builder.setInsertionPointToEnd(kernels.getBody());
  auto made = func::FuncOp::create(builder, launch.getLoc(), newKernelName(kernels, launch.getKernel() + suffix),
                                   builder.getFunctionType(arguments, {arguments.back()}));
  made->setAttr("plan.kernel", builder.getUnitAttr());
  builder.setInsertionPointToStart(made.addEntryBlock());
  return made;
}

plan::LaunchOp launchOf(OpBuilder &builder, Location loc, func::FuncOp kernel, ValueRange inputs) {
  return plan::LaunchOp::create(builder, loc, kernel.getResultTypes(), kernel.getSymName(), inputs, ValueRange{},
                                ValueRange{}, ValueRange{}, ArrayAttr(), AffineMapAttr());
}

} // namespace burin

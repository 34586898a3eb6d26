// SPDX-License-Identifier: Apache-2.0
//
// mlir-opt with Burin's dialects and passes.

#include "compiler/pipeline/Registration.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  burin::registerDialects(registry);
  burin::registerPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Burin's optimizer driver\n", registry));
}

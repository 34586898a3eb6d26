// SPDX-License-Identifier: Apache-2.0
//
// Everything a tool must register before it reads IR: burin and burin-opt agree
// by calling these two.

#ifndef BURIN_COMPILER_PIPELINE_REGISTRATION_H
#define BURIN_COMPILER_PIPELINE_REGISTRATION_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace burin {

/// Burin's dialects, the upstream ones they are lowered to, and all external models.
void registerDialects(mlir::DialectRegistry &registry);

/// Burin's passes and the upstream passes, by name, for burin-opt.
void registerPasses();

} // namespace burin

#endif

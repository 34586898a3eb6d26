// SPDX-License-Identifier: Apache-2.0
//
// Tiling of the kern dialect.

#ifndef BURIN_DIALECTS_KERN_KERNTILING_H
#define BURIN_DIALECTS_KERN_KERNTILING_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace burin::kern {

/// Contractions are tiled along their parallel dims but the columns; of dims that a window reads, never.
void registerTiling(mlir::DialectRegistry &registry);

} // namespace burin::kern

#endif

// SPDX-License-Identifier: Apache-2.0
//
// One-shot bufferization of the kern dialect.

#ifndef BURIN_DIALECTS_KERN_KERNBUFFERIZATION_H
#define BURIN_DIALECTS_KERN_KERNBUFFERIZATION_H

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace burin::kern {

/// Destination-style kern ops become the same ops on buffers: inputs are read,
/// destinations written in place.
void registerBufferization(mlir::DialectRegistry &registry);

} // namespace burin::kern

#endif

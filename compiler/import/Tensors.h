// SPDX-License-Identifier: Apache-2.0
//
// TypeProto and TensorProto as MLIR types and attributes.

#ifndef BURIN_COMPILER_IMPORT_TENSORS_H
#define BURIN_COMPILER_IMPORT_TENSORS_H

#include "compiler/import/Weights.h"

#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/BuiltinTypes.h"
#include "onnx/onnx-ml.pb.h"

namespace burin::importer {

/// The type of a value; null where Burin has none for it (maps, sparse tensors,
/// opaque types) or where the proto says nothing. Named sizes become #onnx.dims.
mlir::Type importType(mlir::MLIRContext *context, const ::onnx::TypeProto &proto);

/// Reads tensors: up to `inlineBytes` as dense elements, larger ones as #plan.weight.
class TensorReader {
public:
  /// `externalRoot` is the folder that external data is relative to and confined to.
  TensorReader(mlir::MLIRContext *context, WeightStore &store, llvm::StringRef externalRoot)
      : context(context), store(store), externalRoot(externalRoot) {}

  /// Fails where sizes, element type and data contradict one another, or where
  /// external data cannot be read; the message does not name the tensor.
  llvm::Expected<mlir::TypedAttr> read(const ::onnx::TensorProto &proto);

  /// Takes external data of up to `inlineBytes` into the proto; leaves others.
  llvm::Error inlineSmall(::onnx::TensorProto &proto);

  /// The elements that are listed, zeros between.
  llvm::Expected<mlir::TypedAttr> read(const ::onnx::SparseTensorProto &proto);

  /// Bytes that became #plan.weight so far.
  uint64_t weightBytes() const { return weights; }

private:
  struct Data {
    mlir::RankedTensorType type;
    unsigned bits = 0;                    // of one element as ONNX stores it
    std::string owned;                    // the bytes, or where they are:
    std::optional<WeightStore::Location> place;
  };

  llvm::Expected<Data> load(const ::onnx::TensorProto &proto);
  llvm::Expected<WeightStore::Location> externalPlace(const ::onnx::TensorProto &proto,
                                                      uint64_t expected);
  llvm::Expected<mlir::TypedAttr> finish(Data data);
  llvm::Expected<mlir::TypedAttr> readStrings(const ::onnx::TensorProto &proto);
  llvm::Expected<std::string> segmentOf(llvm::StringRef location);

  mlir::MLIRContext *context;
  WeightStore &store;
  std::string externalRoot;
  uint64_t weights = 0;
};

/// Whether dims with this parameter have the same size; some exporters write a mark for any size.
bool namesDim(llvm::StringRef parameter);

} // namespace burin::importer

#endif

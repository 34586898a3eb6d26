// SPDX-License-Identifier: Apache-2.0
//
// The plan dialect: its types, attributes and ops. See PlanOps.td.

#ifndef BURIN_DIALECTS_PLAN_PLANOPS_H
#define BURIN_DIALECTS_PLAN_PLANOPS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/plan/PlanOpsDialect.h.inc"

namespace burin::plan {
/// The nested module that holds a model's kernel functions.
inline constexpr llvm::StringLiteral kernelModuleName = "kernels";
/// Begins an error about something larger than any machine, or this design, could hold. The model
/// asks for too much: that is no bug.
mlir::InFlightDiagnostic emitTooLarge(mlir::Location where);
/// Whether `diagnostic` began so.
bool saysTooLarge(mlir::Diagnostic &diagnostic);
/// The names of the nodes that something was made from, each once; the first is what messages say.
llvm::SmallVector<llvm::StringRef> nodeNames(mlir::Location where);
/// The first of them, or "".
std::string nodeName(mlir::Location where);
/// Where the files begin that weights may be parted into, if there are several: a dense i64 array on
/// the module.
inline constexpr llvm::StringLiteral shardOffsetsAttrName = "plan.shard_offsets";
/// An array of LiveAttr on a main program: see there.
inline constexpr llvm::StringLiteral liveSetAttrName = "plan.live_set";
/// On a main program with ranges: sums of bytes over its dims; the largest is the live set (strings).
inline constexpr llvm::StringLiteral liveFormulaAttrName = "plan.live_formula";
/// An array of RangeAttr on a main program: the sizes that change from run to run.
inline constexpr llvm::StringLiteral dimsAttrName = "plan.dims";
/// An array of RangeAttr on a main program of several: the sizes that this variant is for, those
/// that it fixes among them.
inline constexpr llvm::StringLiteral variantAttrName = "plan.variant";
/// A StateAttr on an argument of a main program, the number of the argument on a result: see StateAttr.
inline constexpr llvm::StringLiteral stateAttrName = "plan.state";
/// Of an argument that is a state: its place.
inline constexpr llvm::StringLiteral placeAttrName = "plan.place";
/// An array of pairs of places on a main program: what it moves to the memory of states once all launches
/// have succeeded.
inline constexpr llvm::StringLiteral commitsAttrName = "plan.commits";
/// An array of names on a kernel of several nodes: those that its checks are of. On a launch: its nodes, of
/// which the kernel's checks are then.
inline constexpr llvm::StringLiteral faultsAttrName = "plan.faults";
/// A site in an error word that has it is a number in the list of faults of the launch at work.
inline constexpr uint32_t faultBit = uint32_t(1) << 31;
/// On a tensor argument of a kernel: its strides, in elements, where it is a part of a larger tensor.
inline constexpr llvm::StringLiteral stridesAttrName = "plan.strides";
/// On launches that follow one another and do not depend on one another (a number): workers share the tasks of all
/// that have the same.
inline constexpr llvm::StringLiteral groupAttrName = "plan.group";
/// Within, on a launch whose only result is a part of a plan.join.
inline constexpr llvm::StringLiteral withinAttrName = "plan.within";
/// A BatchAttr on the module: requests can run as one.
inline constexpr llvm::StringLiteral batchAttrName = "plan.batch";
} // namespace burin::plan

#include "dialects/plan/PlanOpsEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/plan/PlanOpsAttributes.h.inc"

#define GET_OP_CLASSES
#include "dialects/plan/PlanOps.h.inc"

namespace burin::plan {
/// What is said of argument `index` of a main program as a state; null where it is an input.
StateAttr stateOf(mlir::FunctionOpInterface main, unsigned index);
/// The number of the argument whose next value result `index` is; nothing where it is an output.
std::optional<unsigned> stateOfResult(mlir::FunctionOpInterface main, unsigned index);
/// The argument of a main program, a state that grows or not, in whose memory `tensor` lies; null
/// where it lies elsewhere.
mlir::BlockArgument stateUnder(mlir::Value tensor);

/// Where a tensor lies in another's memory: that one, and the first element and how many there are from it to the last,
/// gaps included. A tensor that is no part of another lies in itself.
struct Within {
  mlir::Value owner;
  int64_t offset = 0, span = 0;
};
/// Of a launch's result, of a plan.join or of a plan.part; a Within of what it is, of anything else.
Within withinOf(mlir::Value data);
} // namespace burin::plan

#endif

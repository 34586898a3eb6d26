// SPDX-License-Identifier: Apache-2.0
//
// Destination-style operations that linalg cannot say. At most eight.

#ifndef BURIN_KERN_OPS
#define BURIN_KERN_OPS

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"

def Kern_Dialect : Dialect {
  let name = "kern";
  let cppNamespace = "::burin::kern";
  let summary = "Structured kernels that linalg cannot say";
}

class Kern_Op<string mnemonic, list<Trait> traits = []> : Op<Kern_Dialect, mnemonic, traits>;

def Kern_YieldOp : Kern_Op<"yield", [Pure, Terminator, ReturnLike]> {
  let summary = "ends a scalar region";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

include "dialects/kern/Contract.td"
include "dialects/kern/Irregular.td"

#endif

// SPDX-License-Identifier: Apache-2.0
//
// The program storey: dispatches, weights, the arena and the launches.

#ifndef BURIN_PLAN_OPS
#define BURIN_PLAN_OPS

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Plan_Dialect : Dialect {
  let name = "plan";
  let cppNamespace = "::burin::plan";
  let summary = "A compiled model as a program: dispatches, memory, launches";
  let useDefaultAttributePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let extraClassDeclaration = [{
    void registerAttributes();
  }];
}

class Plan_Op<string mnemonic, list<Trait> traits = []> : Op<Plan_Dialect, mnemonic, traits>;

def Plan_LayoutAttr : AttrDef<Plan_Dialect, "Layout"> {
  let mnemonic = "layout";
  let summary = "how constant data is rearranged when the artifact is written";
  let description = [{
    The data has the row-major shape `source`. Its dims in the order of
    `permutation` are the result, where `panel` is 0. Otherwise they are `leading`
    dims, one column dim N and reduction dims of product K, and the result is
    `[leading..., ceil(N / panel), K, panel]` with zeros in the columns past N: what
    kern.contract reads. With `winograd` the first two of the leading dims, of 3 taps each, are one dim of
    (winograd + 2)^2 in the result: the taps of f32 transformed for F(winograd, 3)
    (dialects/kern/Winograd.h), as kern.contract reads those. With `bf16` the data, of f32, is rounded to
    bf16, to the nearest and of two to the even.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$source,
                        ArrayRefParameter<"int64_t">:$permutation,
                        DefaultValuedParameter<"int64_t", "0">:$leading,
                        DefaultValuedParameter<"int64_t", "0">:$panel,
                        DefaultValuedParameter<"int64_t", "0">:$winograd,
                        DefaultValuedParameter<"bool", "false">:$bf16);
  let assemblyFormat = [{
    `<` `[` $source `]` `permute` `[` $permutation `]`
    (`leading` $leading^)? (`panel` $panel^)? (`winograd` $winograd^)? (`bf16` $bf16^)? `>`
  }];
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Shape of the rearranged data.
    ::llvm::SmallVector<int64_t> getShape();
  }];
}

def Plan_WeightAttr : AttrDef<Plan_Dialect, "Weight", [TypedAttrInterface]> {
  let mnemonic = "weight";
  let summary = "constant data that stays outside the IR";
  let description = [{
    The dense row-major elements of `type` are the bytes [offset, offset+length)
    of `segment`, a mapping that compiler/import/Weights.h holds ("model" is the
    ONNX file; external files have their own names; compiler-made data is in
    "derived"). A `layout`, where present, is applied when the artifact is
    written (compiler/plan/PackWeights.h): the bytes then hold its `source` elements and `type`
    is the shape after it.
  }];
  let parameters = (ins AttributeSelfTypeParameter<"">:$type, "::mlir::StringAttr":$segment,
                        "uint64_t":$offset, "uint64_t":$length, OptionalParameter<"LayoutAttr">:$layout);
  let assemblyFormat = "`<` $segment `,` $offset `,` $length (`,` $layout^)? `>`";
  let builders = [
    AttrBuilder<(ins "::mlir::Type":$type, "::mlir::StringAttr":$segment, "uint64_t":$offset,
                     "uint64_t":$length),
                [{ return $_get($_ctxt, type, segment, offset, length, LayoutAttr()); }]>
  ];
  let genVerifyDecl = 1;
}

def Plan_Storage : I32EnumAttr<"Storage", "what memory a tensor lives in", [
    I32EnumAttrCase<"Arena", 0, "arena">, I32EnumAttrCase<"Weights", 1, "weights">,
    I32EnumAttrCase<"Input", 2, "input">, I32EnumAttrCase<"Output", 3, "output">,
    I32EnumAttrCase<"State", 4, "state">]> {
  let cppNamespace = "::burin::plan";
}

def Plan_PlaceAttr : AttrDef<Plan_Dialect, "Place"> {
  let mnemonic = "place";
  let summary = "where a tensor lives while the model runs";
  let description = [{
    `at` is a byte offset into the arena, the weights or the states, or the index of an
    input or output. `bytes` is the dense size, at most.
  }];
  let parameters = (ins EnumParameter<Plan_Storage>:$storage, "uint64_t":$at, "uint64_t":$bytes);
  let assemblyFormat = "`<` $storage $at `,` $bytes `>`";
}

def Plan_LiveAttr : AttrDef<Plan_Dialect, "Live"> {
  let mnemonic = "live";
  let summary = "a tensor of the arena, for reports: the node that makes it, its type and size";
  let description = [{
    A main program lists its largest live set in `plan.live_set`, the largest tensor first. `bytes` is the dense
    size, at most. A tensor that later nodes overwrite in place counts once, as the one that is alive then.
  }];
  let parameters = (ins "::mlir::StringAttr":$node, "::mlir::Type":$type, "uint64_t":$bytes);
  let assemblyFormat = "`<` $node `,` $type `,` $bytes `>`";
}

def Plan_ConstantOp : Plan_Op<"constant",
                             [Pure, ConstantLike, AllTypesMatch<["value", "result"]>]> {
  let summary = "constant tensor in storage types: dense elements or #plan.weight";
  let description = [{
    After planning, `offset` is the byte offset among the artifact's weights.
  }];
  let arguments = (ins TypedAttrInterface:$value, OptionalAttr<I64Attr>:$offset);
  let results = (outs AnyStaticShapeTensor:$result);
  let assemblyFormat = "attr-dict $value";
  let hasFolder = 1;
  let builders = [OpBuilder<(ins "::mlir::TypedAttr":$value), [{
    build($_builder, $_state, value.getType(), value, ::mlir::IntegerAttr());
  }]>];
}

def Plan_RangeAttr : AttrDef<Plan_Dialect, "Range"> {
  let mnemonic = "range";
  let summary = "a size of the model that changes from run to run, and its bounds";
  let description = [{
    A main program lists its dims in `plan.dims`; maps over them take
    the i-th dim as symbol i.
  }];
  let parameters = (ins "::mlir::StringAttr":$name, "int64_t":$min, "int64_t":$max);
  let assemblyFormat = "`<` $name `,` $min `,` $max `>`";
  let genVerifyDecl = 1;
}

def Plan_BatchAttr : AttrDef<Plan_Dialect, "Batch"> {
  let mnemonic = "batch";
  let summary = "how requests run as one";
  let description = [{
    Of each input and output, in order, the dim whose size is the sum of the requests' (times what a
    row has of it), or -1: an input that all requests share, an output that is the same for all.
  }];
  let parameters = (ins "::mlir::StringAttr":$dim, ArrayRefParameter<"int32_t">:$inputs,
                        ArrayRefParameter<"int32_t">:$outputs);
  let assemblyFormat = "`<` $dim `,` `[` $inputs `]` `->` `[` $outputs `]` `>`";
}

def Plan_StateAttr : AttrDef<Plan_Dialect, "State"> {
  let mnemonic = "state";
  let summary = "an argument of a main program that a context keeps from run to run";
  let description = [{
    The attribute `plan.state` of the argument. The result that has the argument's number as its
    `plan.state` is what the next run finds there; `output` is its name in the model. Where `axis` is not -1 runs append
    along it: the argument has the capacity as its size there, of which `length` (a dim
    of `plan.dims`) is in use, and `next` (a function of these dims) after the run. Such a result is written in the
    argument's memory.
  }];
  let parameters = (ins "::mlir::StringAttr":$output, DefaultValuedParameter<"int64_t", "-1">:$axis,
                        OptionalParameter<"::mlir::StringAttr">:$length,
                        OptionalParameter<"::mlir::AffineMapAttr">:$next);
  let assemblyFormat = "`<` $output (`grows` $axis^ `from` $length `to` $next)? `>`";
  let genVerifyDecl = 1;
  let builders = [
    AttrBuilder<(ins "::mlir::StringAttr":$output),
                [{ return $_get($_ctxt, output, -1, ::mlir::StringAttr(), ::mlir::AffineMapAttr()); }]>
  ];
  let extraClassDeclaration = [{
    bool grows() const { return getAxis() >= 0; }
  }];
}

def Plan_DimOp : Plan_Op<"dim", [Pure]> {
  let summary = "a size that the shapes of the inputs decide";
  let description = [{
    `name` is one of the ranges in the main program's `plan.dims`.
  }];
  let arguments = (ins StrAttr:$name);
  let results = (outs Index:$result);
  let assemblyFormat = "$name attr-dict";
}

def Plan_MeasureOp : Plan_Op<"measure", [Pure]> {
  let summary = "a size that the data decide: the only element of a tensor";
  let description = [{
    `name` is one of the ranges in the main program's `plan.dims`, but no option's: what computes `count`
    runs before all that needs the size. A number outside of the range ends the run. After planning `place`
    says where it is.
  }];
  let arguments = (ins StrAttr:$name, AnyStaticShapeTensor:$count, OptionalAttr<Plan_PlaceAttr>:$place);
  let results = (outs Index:$result);
  let assemblyFormat = "$name `from` $count (`at` $place^)? attr-dict `:` type($count)";
  let hasVerifier = 1;
  let builders = [OpBuilder<(ins "::llvm::StringRef":$name, "::mlir::Value":$count), [{
    build($_builder, $_state, $_builder.getIndexType(), name, count, PlaceAttr());
  }]>];
}

def Plan_DispatchOp : Plan_Op<"dispatch", [IsolatedFromAbove, SingleBlock, AttrSizedOperandSegments, Pure]> {
  let summary = "a group of tensor ops that becomes one kernel";
  let description = [{
    The body computes `results` from block arguments that stand for `inputs`
    (tensors), then `dims` (index values: dynamic sizes), then `inits` (tensors that name the
    destination of each result). Nothing else is visible inside, so that equal
    bodies are equal kernels. An init is a tensor.empty, or a state (the last ones): what it
    holds is there to be read, and the result is written over it.
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs, Variadic<Index>:$dims,
                       Variadic<AnyRankedTensor>:$inits);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasVerifier = 1;
}

def Plan_ReturnOp : Plan_Op<"return", [Pure, Terminator, ReturnLike, HasParent<"DispatchOp">]> {
  let summary = "ends a dispatch";
  let arguments = (ins Variadic<AnyRankedTensor>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

def Plan_LaunchOp : Plan_Op<"launch", [Pure, AttrSizedOperandSegments,
                                       DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "runs a kernel function";
  let description = [{
    The kernel takes `inputs`, then one destination per result, then `dims`. The last
    results, as many as there are `states`, are what the launch makes of those, in their memory. The
    dynamic sizes of the results are `sizes`, one result after the other. After
    planning `places` says where inputs and results live, in that order, and
    `extents` gives what the kernel asks for at run time, as functions of the model's
    dims: the dynamic sizes of its arguments and its dims, in the arguments' order.
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, Variadic<AnyRankedTensor>:$inputs,
                       Variadic<AnyRankedTensor>:$states, Variadic<Index>:$dims,
                       Variadic<Index>:$sizes, OptionalAttr<ArrayAttr>:$places, OptionalAttr<AffineMapAttr>:$extents);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $kernel `(` $inputs `)` (`states` `(` $states^ `:` type($states) `)`)? (`dims` `(` $dims^ `)`)? (`sizes` `(` $sizes^ `)`)? (`at` $places^)?
    (`extents` $extents^)? attr-dict `:` functional-type($inputs, $results)
  }];
  let hasVerifier = 1;
}

def Plan_JoinOp : Plan_Op<"join", [Pure]> {
  let summary = "a tensor whose parts were written where they lie in it";
  let description = [{
    The launches that make `parts` have written them into the memory of the result, each at the
    strides that its kernel's argument says. Together they are all of it. A part may be the result of another join. `within`
    is there where the result is itself a part, see plan::Within.
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$parts, OptionalAttr<DenseI64ArrayAttr>:$within);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$parts (`within` $within^)? attr-dict `:` functional-type($parts, $result)";
}

def Plan_PartOp : Plan_Op<"part", [Pure]> {
  let summary = "a part of a tensor, read where it lies";
  let description = [{
    `within` says where, see plan::Within; the kernels that read it have an argument with its strides.
  }];
  let arguments = (ins AnyRankedTensor:$whole, DenseI64ArrayAttr:$within);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$whole `within` $within attr-dict `:` type($whole) `to` type($result)";
}

def Plan_CheckOp : Plan_Op<"check", [MemoryEffects<[MemWrite]>]> {
  let summary = "reports a fault of the data from inside a kernel";
  let description = [{
    Where `ok` is false, the launch's error word takes `status` (a burin_status
    number) and `detail`, unless it holds an earlier fault; the kernel goes on, so
    what follows must be safe: clamp what was checked.
  }];
  let arguments = (ins I1:$ok, I64Attr:$status, I64:$detail);
  let assemblyFormat = "$ok `,` $status `,` $detail attr-dict";
}

#endif

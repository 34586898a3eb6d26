// SPDX-License-Identifier: Apache-2.0
//
// kern.scatter, kern.sort, kern.scan: walks whose order matters or whose places
// are data. All are generic over element types and their scalar region.

#ifndef BURIN_KERN_IRREGULAR
#define BURIN_KERN_IRREGULAR

def Kern_Shaped : AnyTypeOf<[AnyRankedTensor, AnyMemRef]>;

class Kern_IrregularOp<string mnemonic, list<Trait> traits = []>
    : Kern_Op<mnemonic, traits # [SingleBlock, DestinationStyleOpInterface,
                                  DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let regions = (region SizedRegion<1>:$body);
  let hasVerifier = 1;
}

def Kern_ScatterOp : Kern_IrregularOp<"scatter"> {
  let summary = "combine updates into places that are data";
  let description = [{
    For each element of `updates`, in row-major order of its dims `d...`:

    ```
    s...  = indices[index_map(d...), :]
    place = place_map(d...)[s...]
    init[place] = body(updates[d...], init[place])
    ```

    `indices` holds integers (read as signed); its last dim is as long as `place_map` has symbols. The
    region gets the update and the old element and yields the new one.

    With `wrap` a negative coordinate counts from the end of its dim. A place
    outside `init` is left out: silently with `drop`, else reported as status 6
    (an index in the data is out of range).

    A dim that `place_map` gives back as it is cannot collide; those that lead are walked in
    parallel. Elsewhere the order is kept, so that results do not depend on threads.
  }];
  let arguments = (ins Kern_Shaped:$indices, Kern_Shaped:$updates, Kern_Shaped:$init,
                       AffineMapAttr:$index_map, AffineMapAttr:$place_map,
                       UnitAttr:$wrap, UnitAttr:$drop);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let builders = [
    // `body` gets the update and the old element and returns the new one.
    OpBuilder<(ins "::mlir::Value":$indices, "::mlir::Value":$updates, "::mlir::Value":$init,
                   "::mlir::AffineMap":$indexMap, "::mlir::AffineMap":$placeMap, "bool":$wrap,
                   "bool":$drop, "::burin::kern::BodyBuilder":$body)>
  ];
  let assemblyFormat = [{
    `ins` `(` $indices `,` $updates `:` type($indices) `,` type($updates) `)`
    `outs` `(` $init `:` type($init) `)` attr-dict-with-keyword $body (`->` type($result)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
  }];
}

def Kern_SortOp : Kern_IrregularOp<"sort"> {
  let summary = "positions of the first elements of each row, in order";
  let description = [{
    Along `axis`, whose size in `input` is n and in `init` is k <= n, writes the
    positions (integers) of the k elements that come first. All other sizes agree. The region gets
    two elements a, b and yields i1: whether a comes strictly before b, a strict
    weak order. The sort is stable. Values are read afterwards at the positions.
  }];
  let arguments = (ins Kern_Shaped:$input, Kern_Shaped:$init, I64Attr:$axis);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let builders = [
    // `body` gets two elements and returns whether the first comes before the second.
    OpBuilder<(ins "::mlir::Value":$input, "::mlir::Value":$init, "int64_t":$axis,
                   "::burin::kern::BodyBuilder":$body)>
  ];
  let assemblyFormat = [{
    `ins` `(` $input `:` type($input) `)` `outs` `(` $init `:` type($init) `)`
    attr-dict-with-keyword $body (`->` type($result)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
  }];
}

def Kern_ScanOp : Kern_IrregularOp<"scan", [AttrSizedOperandSegments]> {
  let summary = "a running combination along one dim";
  let description = [{
    Walks `axis` of `inputs` (all of one shape) from the front, or from the back with
    `reverse`, carrying one scalar per `initial`, which also gives its type. The
    region gets an element of each input, then what is carried, and yields what is
    carried on, then an element of each destination. So a running sum is

    ```mlir
    %r = kern.scan ins(%x : tensor<4x8xf16>) initial(%zero : f32) outs(%e : tensor<4x8xf16>)
        attributes {axis = 1 : i64} {
    ^bb0(%element: f16, %sum: f32):
      %wide = arith.extf %element : f16 to f32
      %next = arith.addf %sum, %wide : f32
      %out = arith.truncf %next : f32 to f16
      kern.yield %next, %out : f32, f16
    } -> tensor<4x8xf16>
    ```

    and an exclusive one yields `%sum` in the element's place. In C++:
    `kern::ScanOp::create(b, inputs, initial, inits, axis, reverse, bodyBuilder)`,
    inits from `Lowering::empty`, the results as many tensors as inits. All other dims run in parallel.
  }];
  let arguments = (ins Variadic<Kern_Shaped>:$inputs, Variadic<AnyType>:$initial,
                       Variadic<Kern_Shaped>:$inits, I64Attr:$axis, UnitAttr:$reverse);
  let results = (outs Variadic<AnyRankedTensor>:$outputs);
  let assemblyFormat = [{
    `ins` `(` $inputs `:` type($inputs) `)` (`initial` `(` $initial^ `:` type($initial) `)`)?
    `outs` `(` $inits `:` type($inits) `)` attr-dict-with-keyword $body
    (`->` type($outputs)^)?
  }];
  let builders = [
    // `body` gets the elements, then what is carried, and returns what the region yields.
    OpBuilder<(ins "::mlir::ValueRange":$inputs, "::mlir::ValueRange":$initial,
                   "::mlir::ValueRange":$inits, "int64_t":$axis, "bool":$reverse,
                   "::burin::kern::BodyBuilder":$body)>
  ];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitsMutable(); }
  }];
}

#endif

// SPDX-License-Identifier: Apache-2.0
//
// kern.contract: sums of products with packed weights and a fused epilogue.

#ifndef BURIN_KERN_CONTRACT
#define BURIN_KERN_CONTRACT

def Kern_ContractOp : Kern_Op<"contract", [
    SingleBlock, DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "sum of products, over packed panels or a factor as it lies, with an epilogue";
  let description = [{
    ```
    c[p...] = epilogue(sum over r... of a[a_map(p..., r...)] * B[p..., r...], extras[map(p...)]...)
    ```

    The parallel dims `p` are the dims of `init`, in its order; the last is the
    column dim N. The reduction dims `r` have the sizes `reduction`; their
    row-major product is K. The size of the only reduction dim may be dynamic.

    `a_map` is linear in the dims and mostly free of N. A read outside `a` is zero, the
    padding of a convolution, but along the last reduction dim there is none. `b` is packed in panels of 16 columns:
    `[leading..., ceil(N / 16), K, 16]`, where `b_map` names the parallel dims
    that index `leading` (batch, group); what the columns past N hold does not
    matter. Panels are of f32, or of bf16: each factor is extended, sums are of f32. `extras` are read at parallel dims or at 0; N only as the last index.

    Where `b_map` takes the reduction dim, too, of which there is one, `b` is read where it lies: each of its dims at a dim, a dim and a
    constant, or a constant, the last at N (rows of columns side by side, as an attention's values) or at K (columns, as its
    keys). That is for few rows, which gain less from panels than packing takes.

    Where `a_map` reads N, each column is summed by itself, a depthwise convolution:
    `(n, y, x, c; i, j) -> (n, y * s + i * d - top, x * t + j * e - left, c)`. Reads outside are zeros in
    both dims, K is their taps, and there is one block.

    With `winograd = m` the op is a convolution of 3 x 3 taps, strides and dilations 1, whose
    sums are made by F(m x m, 3 x 3): m is 2 or 4, `a_map` is
    `(n, y, x, column; i, j, k) -> (n, y + i - top, x + j - left, k)`, and `b` has the transformed
    taps, `[(m + 2)^2, ceil(N / 16), K, 16]` with the K of one tap
    (plan.layout makes them; dialects/kern/Winograd.h has the matrices).

    The accumulator starts at 0; `init` is only the destination. The region gets
    the sum and one element of each extra, and yields the element of the result
    with ops that map to vectors element by element.

    **Bits.** K is cut into blocks (kern::ContractOp::getBlocks): a block is
    one chain of fused multiply-adds in ascending k from 0, the blocks' sums are added in
    ascending order. Nothing else (ISA, tile, rows, threads) changes a result. With
    `winograd` that holds for each of the (m + 2)^2 products; the transforms before and after are
    chains of their own.
  }];
  let arguments = (ins AnyTypeOf<[AnyRankedTensor, AnyMemRef]>:$a,
                       AnyTypeOf<[AnyRankedTensor, AnyMemRef]>:$b,
                       Variadic<AnyTypeOf<[AnyRankedTensor, AnyMemRef]>>:$extras,
                       AnyTypeOf<[AnyRankedTensor, AnyMemRef]>:$init,
                       AffineMapAttr:$a_map, AffineMapAttr:$b_map,
                       AffineMapArrayAttr:$extra_maps, DenseI64ArrayAttr:$reduction,
                       OptionalAttr<I64Attr>:$winograd);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let regions = (region SizedRegion<1>:$epilogue);
  let assemblyFormat = [{
    `ins` `(` $a `,` $b `:` type($a) `,` type($b) `)`
    (`extras` `(` $extras^ `:` type($extras) `)`)? `outs` `(` $init `:` type($init) `)`
    attr-dict-with-keyword $epilogue (`->` type($result)^)?
  }];
  let hasVerifier = 1;
  let builders = [
    // With an epilogue that yields the sum.
    OpBuilder<(ins "::mlir::Value":$a, "::mlir::Value":$b, "::mlir::Value":$init,
                   "::mlir::AffineMap":$aMap, "::mlir::AffineMap":$bMap,
                   "::llvm::ArrayRef<int64_t>":$reduction)>
  ];
  let extraClassDeclaration = [{
    /// Columns of a panel of `b`.
    static constexpr int64_t panelWidth = 16;
    /// Upper bound of a K block; a constant of the artifact since it decides bits.
    static constexpr int64_t maxBlock = 192;

    /// How K is cut. The reduction dims but the last are walked as one dim of
    /// `taps`. Where the last dim's size is `inner` <= 192, a block is `tapsPerBlock`
    /// whole taps; else a tap is cut into blocks of at most 192. Sizes may be kDynamic.
    struct Blocks {
      int64_t taps, tapsPerBlock, inner, innerBlock;
    };
    Blocks getBlocks();

    /// Whether each column is summed by itself.
    bool isDepthwise() { return getAMap().isFunctionOfDim(getNumParallel() - 1); }
    /// Whether `a` is a picture with its channels last, as its schedule takes it.
    bool isPicture() { return getWinograd() || isDepthwise(); }
    /// Whether `b` lies in panels.
    bool isPacked() { return getBMap().getNumDims() == getNumParallel(); }
    /// The dim of a packed `b` that counts panels.
    unsigned getPanelDim() { return getBMap().getNumResults() + (getWinograd() ? 1 : 0); }
    /// The dim of `b` along which products are added.
    unsigned getDepthDim();
    /// Whether `b` lies as it is, with its columns side by side.
    bool readsRows() {
      return !isPacked() && getBMap().getResults().back().isFunctionOfDim(getNumParallel() - 1);
    }
    unsigned getNumParallel() { return ::llvm::cast<::mlir::ShapedType>(getInit().getType()).getRank(); }
    ::mlir::AffineMap getExtraMap(unsigned i) {
      return ::llvm::cast<::mlir::AffineMapAttr>(getExtraMaps()[i]).getValue();
    }
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getInitMutable(); }
  }];
}

#endif

# SPDX-License-Identifier: Apache-2.0
"""Writes functions.mlir: one function (in, out) on 16 lanes per math op under test."""
UNARY = "exp expdown exp2 expm1 log log1p log2 log10 tanh erf erfc sin cos tan asin acos atan sinh cosh asinh acosh atanh cbrt sqrt rsqrt".split()
for type, suffix in (("f32", "f"), ("f64", "")):
    vector = f"vector<16x{type}>"
    for name in UNARY:
        body = f"%y = math.{name} %x : {vector}"
        if name == "expdown":
            body = (f"%zero = arith.constant dense<0.0> : {vector}\n  %least = arith.minimumf %x, %zero : {vector}\n"
                    f"  %y = math.exp %least {{plan.not_positive}} : {vector}")
        print(f"""func.func @burin_{name}{suffix}(%in: !llvm.ptr, %out: !llvm.ptr) {{
  %x = llvm.load %in {{alignment = 64 : i64}} : !llvm.ptr -> {vector}
  {body}
  llvm.store %y, %out {{alignment = 64 : i64}} : {vector}, !llvm.ptr
  return
}}""")
    for name, op in (("pow", "math.powf"), ("atan2", "math.atan2"), ("fmod", "arith.remf")):
        print(f"""func.func @burin_{name}{suffix}(%a: !llvm.ptr, %b: !llvm.ptr, %out: !llvm.ptr) {{
  %x = llvm.load %a {{alignment = 64 : i64}} : !llvm.ptr -> {vector}
  %y = llvm.load %b {{alignment = 64 : i64}} : !llvm.ptr -> {vector}
  %z = {op} %x, %y : {vector}
  llvm.store %z, %out {{alignment = 64 : i64}} : {vector}, !llvm.ptr
  return
}}""")

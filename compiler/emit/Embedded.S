/* SPDX-License-Identifier: Apache-2.0 */
        .section .rodata
        .globl  burin_embedded_runtime_begin, burin_embedded_runtime_end
        .globl  burin_embedded_libc_begin, burin_embedded_libc_end
        .balign 16
burin_embedded_runtime_begin:
        .incbin BURIN_RUNTIME_OBJECT
burin_embedded_runtime_end:
        .balign 16
burin_embedded_libc_begin:
        .incbin BURIN_LIBC_STUB
burin_embedded_libc_end:
        .section .note.GNU-stack,"",@progbits

/* SPDX-License-Identifier: Apache-2.0
 *
 * The recogniser's alphabet as it is in its file: UTF-8, a character a line. */
        .section .rodata
        .globl ocr_alphabet
        .globl ocr_alphabet_end
ocr_alphabet:
        .incbin ALPHABET_FILE
ocr_alphabet_end:
        .byte 0
        .section .note.GNU-stack, "", %progbits

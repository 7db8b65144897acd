// The two checksums of a PNG: CRC-32 of a chunk, Adler-32 of the filtered bytes.
#pragma once

#include "base.h"

// crc32 is the CRC of size bytes.
u32 crc32(const u8 *bytes, size_t size);

// adler32 starts as ADLER_START and takes the bytes in their order.
enum { ADLER_START = 1 };
u32 adler32(u32 sum, const u8 *bytes, size_t size);

// adler32_zeros is adler32 of size zero bytes.
u32 adler32_zeros(u32 sum, size_t size);

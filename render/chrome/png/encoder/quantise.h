// Few colours in the place of many.
#pragma once

#include "base.h"

// quantise chooses at most most colours, up to 256, for the counted ones of
// colours_merged, numbers of them. It sets for each number which of the chosen
// it becomes, and returns how many were chosen.
u32 quantise(u32 numbers, u32 most, u32 *chosen, u8 *choice);

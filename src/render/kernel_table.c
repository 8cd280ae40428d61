#include "render/kernel.h"

#if defined(__AVX512F__)
#define TABLE      cp_kernels_avx512
#define TABLE_NAME CP_SIMD_AVX512
#elif defined(__AVX2__)
#define TABLE      cp_kernels_avx2
#define TABLE_NAME CP_SIMD_AVX2
#else
#define TABLE      cp_kernels_portable
#define TABLE_NAME CP_SIMD_PORTABLE
#endif

const struct kernels TABLE = {
    .level = TABLE_NAME,
    .lanes = LANES,
    .add_rows = KERNEL(add_rows),
    .place_vertices = KERNEL(place_vertices),
    .draw_shadow = KERNEL(draw_shadow),
    .set_up = KERNEL(set_up),
    .raster = KERNEL(raster),
    .classify = KERNEL(classify),
    .shade = KERNEL(shade),
    .convert = KERNEL(convert),
    .fill_background = KERNEL(fill_background),
    .lay_patch = KERNEL(lay_patch),
};

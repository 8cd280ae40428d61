/*
 * One small vector layer, so that each kernel is written once: 16 lanes with AVX-512, 8 with AVX2, 4 with the
 * compiler's generic vectors (SSE2, NEON, ...). The kernel files are compiled once a level; CP_LEVEL names
 * it.
 *
 * vf: floats, vi: 32-bit integers (wrapping), vm: one truth value a lane. The levels round alike but for
 * vf_rsqrt and vf_rcp, which are good to 11 bits at least, and for fused multiply-add.
 */
#ifndef CP_RENDER_SIMD_H
#define CP_RENDER_SIMD_H

#include <math.h>
#include <stdint.h>
#include <string.h>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline, unused))

#if defined(__AVX512F__)

enum { LANES = 16 };
typedef __m512 vf;
typedef int vi __attribute__((vector_size(64)));
typedef unsigned vu __attribute__((vector_size(64)));
typedef __mmask16 vm;
#define RAW(x) ((__m512i)(x))

INLINE vf vf_set(float x)
{
    return _mm512_set1_ps(x);
}
INLINE vi vi_set(int x)
{
    return (vi)_mm512_set1_epi32(x);
}
INLINE vf vf_load(const float *p)
{
    return _mm512_loadu_ps(p);
}
INLINE void vf_store(float *p, vf v)
{
    _mm512_storeu_ps(p, v);
}
INLINE vi vi_load(const void *p)
{
    return (vi)_mm512_loadu_si512(p);
}
INLINE void vi_store(void *p, vi v)
{
    _mm512_storeu_si512(p, RAW(v));
}
INLINE void vf_store_if(float *p, vm m, vf v)
{
    _mm512_mask_storeu_ps(p, m, v);
}
INLINE void vi_store_if(void *p, vm m, vi v)
{
    _mm512_mask_storeu_epi32(p, m, RAW(v));
}
INLINE vf vf_fma(vf a, vf b, vf c)
{
    return _mm512_fmadd_ps(a, b, c);
}
INLINE vf vf_min(vf a, vf b)
{
    return _mm512_min_ps(a, b);
}
INLINE vf vf_max(vf a, vf b)
{
    return _mm512_max_ps(a, b);
}
INLINE vi vi_min(vi a, vi b)
{
    return (vi)_mm512_min_epi32(RAW(a), RAW(b));
}
INLINE vi vi_max(vi a, vi b)
{
    return (vi)_mm512_max_epi32(RAW(a), RAW(b));
}
/* The smallest of all lanes. */
INLINE float vf_least(vf a)
{
    return _mm512_reduce_min_ps(a);
}
INLINE vf vf_rsqrt(vf a)
{
    return _mm512_rsqrt14_ps(a);
}
INLINE vf vf_rcp(vf a)
{
    return _mm512_rcp14_ps(a);
}
INLINE vf vf_from_vi(vi a)
{
    return _mm512_cvtepi32_ps(RAW(a));
}
/* To the nearest integer. */
INLINE vi vi_from_vf(vf a)
{
    return (vi)_mm512_cvtps_epi32(a);
}
INLINE vf vf_floor(vf a)
{
    return _mm512_roundscale_ps(a, 1);
}
INLINE vm vm_lt(vf a, vf b)
{
    return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ);
}
INLINE vm vm_ge_int(vi a, vi b)
{
    return _mm512_cmp_epi32_mask(RAW(a), RAW(b), _MM_CMPINT_NLT);
}
INLINE vm vm_eq_int(vi a, vi b)
{
    return _mm512_cmpeq_epi32_mask(RAW(a), RAW(b));
}
INLINE vm vm_not_negative(vi a)
{
    return (vm)~_mm512_movepi32_mask(RAW(a));
}
/* The lanes below zero. */
INLINE unsigned vi_sign_bits(vi a)
{
    return _mm512_movepi32_mask(RAW(a));
}
INLINE vm vm_and(vm a, vm b)
{
    return a & b;
}
INLINE vm vm_or(vm a, vm b)
{
    return a | b;
}
INLINE unsigned vm_bits(vm m)
{
    return m;
}
INLINE vm vm_from_bits(unsigned bits)
{
    return (vm)bits;
}
INLINE vf vf_select(vm m, vf yes, vf no)
{
    return _mm512_mask_blend_ps(m, no, yes);
}
INLINE vi vi_select(vm m, vi yes, vi no)
{
    return (vi)_mm512_mask_blend_epi32(m, RAW(no), RAW(yes));
}
/* Products of the 16-bit halves, added in pairs. */
INLINE vi vi_madd16(vi a, vi b)
{
    return (vi)_mm512_madd_epi16(RAW(a), RAW(b));
}
INLINE vf vf_gather(const float *base, vi index)
{
    return _mm512_i32gather_ps(RAW(index), base, 4);
}
INLINE vi vi_gather(const void *base, vi index)
{
    return (vi)_mm512_i32gather_epi32(RAW(index), base, 4);
}
/* The 32 bits that begin at element `index` of 16-bit elements. */
INLINE vi vi_gather16(const void *base, vi index)
{
    return (vi)_mm512_i32gather_epi32(RAW(index), base, 2);
}
/* Writes the lanes whose bit is set one after another; may write up to LANES elements. Returns their number.
 */
INLINE int vi_compress(void *p, unsigned bits, vi v)
{
    _mm512_storeu_si512(p, _mm512_maskz_compress_epi32((vm)bits, RAW(v)));
    return __builtin_popcount(bits);
}
/* Stores each lane as a byte, clamped to 0..255. */
INLINE void vi_store_bytes(uint8_t *p, vi v)
{
    _mm_storeu_si128((__m128i *)p, _mm512_cvtusepi32_epi8(_mm512_max_epi32(RAW(v), _mm512_setzero_si512())));
}
/* Stores each even lane as a byte. */
INLINE void vi_store_even_bytes(uint8_t *p, vi v)
{
    _mm_storel_epi64((__m128i *)p, _mm512_cvtepi64_epi8(RAW(v)));
}
/* Each even lane plus its odd neighbour, in the even lane. */
INLINE vf vf_add_pairs(vf v)
{
    return v + (vf)_mm512_srli_epi64((__m512i)v, 32);
}
/* Lane 0 of every four. */
INLINE vi vi_first_of_4(vi v)
{
    return (vi)_mm512_shuffle_epi32(RAW(v), 0);
}
INLINE vf vf_first_of_4(vf v)
{
    return _mm512_shuffle_ps(v, v, 0);
}
/* The first three of the four ints of each row that `row` names. */
INLINE void vi_load_rows4(const int *base, const int *row, vi *out)
{
    vi at = vi_load(row) * 4;
    for (int k = 0; k < 3; k++)
        out[k] = vi_gather(base + k, at);
}
#define DOUBLES(f, x, y) _mm512_castpd_ps(f(_mm512_castps_pd(x), _mm512_castps_pd(y)))
/* 16 x 16 transpose in place. */
INLINE void vf_transpose16(vf *r)
{
    vf a[16], b[16];
#pragma GCC unroll 8
    for (int i = 0; i < 8; i++) {
        a[2 * i] = _mm512_unpacklo_ps(r[2 * i], r[2 * i + 1]);
        a[2 * i + 1] = _mm512_unpackhi_ps(r[2 * i], r[2 * i + 1]);
    }
#pragma GCC unroll 4
    for (int k = 0; k < 16; k += 4) {
        b[k] = DOUBLES(_mm512_unpacklo_pd, a[k], a[k + 2]);
        b[k + 1] = DOUBLES(_mm512_unpackhi_pd, a[k], a[k + 2]);
        b[k + 2] = DOUBLES(_mm512_unpacklo_pd, a[k + 1], a[k + 3]);
        b[k + 3] = DOUBLES(_mm512_unpackhi_pd, a[k + 1], a[k + 3]);
    }
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        vf x0 = _mm512_shuffle_f32x4(b[j], b[4 + j], 0x88),
           x1 = _mm512_shuffle_f32x4(b[8 + j], b[12 + j], 0x88);
        vf x2 = _mm512_shuffle_f32x4(b[j], b[4 + j], 0xdd),
           x3 = _mm512_shuffle_f32x4(b[8 + j], b[12 + j], 0xdd);
        r[j] = _mm512_shuffle_f32x4(x0, x1, 0x88);
        r[4 + j] = _mm512_shuffle_f32x4(x2, x3, 0x88);
        r[8 + j] = _mm512_shuffle_f32x4(x0, x1, 0xdd);
        r[12 + j] = _mm512_shuffle_f32x4(x2, x3, 0xdd);
    }
}

#elif defined(__AVX2__)

enum { LANES = 8 };
typedef __m256 vf;
typedef int vi __attribute__((vector_size(32)));
typedef unsigned vu __attribute__((vector_size(32)));
typedef __m256i vm;
#define RAW(x) ((__m256i)(x))

INLINE vf vf_set(float x)
{
    return _mm256_set1_ps(x);
}
INLINE vi vi_set(int x)
{
    return (vi)_mm256_set1_epi32(x);
}
INLINE vf vf_load(const float *p)
{
    return _mm256_loadu_ps(p);
}
INLINE void vf_store(float *p, vf v)
{
    _mm256_storeu_ps(p, v);
}
INLINE vi vi_load(const void *p)
{
    return (vi)_mm256_loadu_si256(p);
}
INLINE void vi_store(void *p, vi v)
{
    _mm256_storeu_si256(p, RAW(v));
}
INLINE vf vf_select(vm m, vf yes, vf no)
{
    return _mm256_blendv_ps(no, yes, (__m256)m);
}
INLINE vi vi_select(vm m, vi yes, vi no)
{
    return (vi)_mm256_blendv_epi8(RAW(no), RAW(yes), m);
}
INLINE void vf_store_if(float *p, vm m, vf v)
{
    vf_store(p, vf_select(m, v, vf_load(p)));
}
INLINE void vi_store_if(void *p, vm m, vi v)
{
    vi_store(p, vi_select(m, v, vi_load(p)));
}
INLINE vf vf_fma(vf a, vf b, vf c)
{
    return _mm256_fmadd_ps(a, b, c);
}
INLINE vf vf_min(vf a, vf b)
{
    return _mm256_min_ps(a, b);
}
INLINE vf vf_max(vf a, vf b)
{
    return _mm256_max_ps(a, b);
}
INLINE vi vi_min(vi a, vi b)
{
    return (vi)_mm256_min_epi32(RAW(a), RAW(b));
}
INLINE vi vi_max(vi a, vi b)
{
    return (vi)_mm256_max_epi32(RAW(a), RAW(b));
}
INLINE float vf_least(vf a)
{
    __m128 m = _mm_min_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    m = _mm_min_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_min_ss(m, _mm_shuffle_ps(m, m, 1)));
}
INLINE vf vf_rsqrt(vf a)
{
    return _mm256_rsqrt_ps(a);
}
INLINE vf vf_rcp(vf a)
{
    return _mm256_rcp_ps(a);
}
INLINE vf vf_from_vi(vi a)
{
    return _mm256_cvtepi32_ps(RAW(a));
}
INLINE vi vi_from_vf(vf a)
{
    return (vi)_mm256_cvtps_epi32(a);
}
INLINE vf vf_floor(vf a)
{
    return _mm256_floor_ps(a);
}
INLINE vm vm_lt(vf a, vf b)
{
    return (vm)_mm256_cmp_ps(a, b, _CMP_LT_OQ);
}
INLINE vm vm_ge_int(vi a, vi b)
{
    return (vm)(a >= b);
}
INLINE vm vm_eq_int(vi a, vi b)
{
    return _mm256_cmpeq_epi32(RAW(a), RAW(b));
}
INLINE vm vm_not_negative(vi a)
{
    return _mm256_cmpgt_epi32(RAW(a), _mm256_set1_epi32(-1));
}
INLINE unsigned vi_sign_bits(vi a)
{
    return (unsigned)_mm256_movemask_ps((__m256)a);
}
INLINE vm vm_and(vm a, vm b)
{
    return _mm256_and_si256(a, b);
}
INLINE vm vm_or(vm a, vm b)
{
    return _mm256_or_si256(a, b);
}
INLINE unsigned vm_bits(vm m)
{
    return (unsigned)_mm256_movemask_ps((__m256)m);
}
INLINE vm vm_from_bits(unsigned bits)
{
    const vi k = {1, 2, 4, 8, 16, 32, 64, 128};
    return _mm256_cmpeq_epi32(RAW(vi_set((int)bits) & k), RAW(k));
}
INLINE vi vi_madd16(vi a, vi b)
{
    return (vi)_mm256_madd_epi16(RAW(a), RAW(b));
}
INLINE vf vf_gather(const float *base, vi index)
{
    return _mm256_i32gather_ps(base, RAW(index), 4);
}
INLINE vi vi_gather(const void *base, vi index)
{
    return (vi)_mm256_i32gather_epi32(base, RAW(index), 4);
}
INLINE vi vi_gather16(const void *base, vi index)
{
    return (vi)_mm256_i32gather_epi32(base, RAW(index), 2);
}
INLINE int vi_compress(void *p, unsigned bits, vi v)
{
    int *out = p, n = 0, lane[LANES];
    vi_store(lane, v);
    for (; bits; bits &= bits - 1)
        out[n++] = lane[__builtin_ctz(bits)];
    return n;
}
INLINE void vi_store_bytes(uint8_t *p, vi v)
{
    __m128i a = _mm_packs_epi32(_mm256_castsi256_si128(RAW(v)), _mm256_extracti128_si256(RAW(v), 1));
    _mm_storel_epi64((__m128i *)p, _mm_packus_epi16(a, a));
}
INLINE void vi_store_even_bytes(uint8_t *p, vi v)
{
    for (int i = 0; i < LANES; i += 2)
        p[i / 2] = (uint8_t)v[i];
}
INLINE vf vf_add_pairs(vf v)
{
    return v + (vf)_mm256_srli_epi64((__m256i)v, 32);
}
INLINE vi vi_first_of_4(vi v)
{
    return (vi)_mm256_shuffle_epi32(RAW(v), 0);
}
INLINE vf vf_first_of_4(vf v)
{
    return _mm256_shuffle_ps(v, v, 0);
}
/* Loads and shuffles: gathers are slow on many of the machines of this level. */
INLINE void vi_load_rows4(const int *base, const int *row, vi *out)
{
    __m256 r[4];
    for (int i = 0; i < 4; i++)
        r[i] = _mm256_insertf128_ps(
            _mm256_castps128_ps256(_mm_loadu_ps((const float *)(base + 4 * (int64_t)row[i]))),
            _mm_loadu_ps((const float *)(base + 4 * (int64_t)row[i + 4])), 1);
    __m256 a = _mm256_unpacklo_ps(r[0], r[1]), b = _mm256_unpacklo_ps(r[2], r[3]);
    __m256 c = _mm256_unpackhi_ps(r[0], r[1]), d = _mm256_unpackhi_ps(r[2], r[3]);
    out[0] = (vi)_mm256_shuffle_ps(a, b, 0x44);
    out[1] = (vi)_mm256_shuffle_ps(a, b, 0xee);
    out[2] = (vi)_mm256_shuffle_ps(c, d, 0x44);
}
/* 8 x 8 transpose of the rows r[0], r[step], r[2 step] ... */
INLINE void vf_transpose8(const vf *r, int step, vf *out)
{
    vf a[8], b[8];
    for (int i = 0; i < 4; i++) {
        a[2 * i] = _mm256_unpacklo_ps(r[2 * i * step], r[(2 * i + 1) * step]);
        a[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i * step], r[(2 * i + 1) * step]);
    }
    for (int k = 0; k < 8; k += 4) {
        b[k] = _mm256_shuffle_ps(a[k], a[k + 2], 0x44);
        b[k + 1] = _mm256_shuffle_ps(a[k], a[k + 2], 0xee);
        b[k + 2] = _mm256_shuffle_ps(a[k + 1], a[k + 3], 0x44);
        b[k + 3] = _mm256_shuffle_ps(a[k + 1], a[k + 3], 0xee);
    }
    for (int j = 0; j < 4; j++) {
        out[j] = _mm256_permute2f128_ps(b[j], b[4 + j], 0x20);
        out[4 + j] = _mm256_permute2f128_ps(b[j], b[4 + j], 0x31);
    }
}

#else

enum { LANES = 4 };
typedef float vf __attribute__((vector_size(16)));
typedef int vi __attribute__((vector_size(16)));
typedef unsigned vu __attribute__((vector_size(16)));
typedef vi vm; /* all ones or zero a lane */

INLINE vf vf_set(float x)
{
    return (vf){x, x, x, x};
}
INLINE vi vi_set(int x)
{
    return (vi){x, x, x, x};
}
INLINE vf vf_load(const float *p)
{
    vf v;
    memcpy(&v, p, sizeof v);
    return v;
}
INLINE void vf_store(float *p, vf v)
{
    memcpy(p, &v, sizeof v);
}
INLINE vi vi_load(const void *p)
{
    vi v;
    memcpy(&v, p, sizeof v);
    return v;
}
INLINE void vi_store(void *p, vi v)
{
    memcpy(p, &v, sizeof v);
}
INLINE vi vi_select(vm m, vi yes, vi no)
{
    return (yes & m) | (no & ~m);
}
INLINE vf vf_select(vm m, vf yes, vf no)
{
    return (vf)vi_select(m, (vi)yes, (vi)no);
}
INLINE void vf_store_if(float *p, vm m, vf v)
{
    vf_store(p, vf_select(m, v, vf_load(p)));
}
INLINE void vi_store_if(void *p, vm m, vi v)
{
    vi_store(p, vi_select(m, v, vi_load(p)));
}
INLINE vf vf_fma(vf a, vf b, vf c)
{
    return a * b + c;
}
INLINE vf vf_min(vf a, vf b)
{
    return vf_select((vm)(a < b), a, b);
}
INLINE vf vf_max(vf a, vf b)
{
    return vf_select((vm)(a > b), a, b);
}
INLINE vi vi_min(vi a, vi b)
{
    return vi_select(a < b, a, b);
}
INLINE vi vi_max(vi a, vi b)
{
    return vi_select(a > b, a, b);
}
INLINE float vf_least(vf a)
{
    float least = a[0];
    for (int i = 1; i < LANES; i++)
        least = a[i] < least ? a[i] : least;
    return least;
}
INLINE vf vf_rsqrt(vf a)
{
    vf v;
    for (int i = 0; i < LANES; i++)
        v[i] = 1 / sqrtf(a[i]);
    return v;
}
INLINE vf vf_rcp(vf a)
{
    return 1.0f / a;
}
INLINE vf vf_from_vi(vi a)
{
    return __builtin_convertvector(a, vf);
}
INLINE vi vi_from_vf(vf a)
{
    /* Truncation of values far outside the integers is undefined in C; kernels clamp where that can be. */
    vf half = vf_select((vm)(a < 0.0f), vf_set(-0.5f), vf_set(0.5f));
    return __builtin_convertvector(a + half, vi);
}
INLINE vf vf_floor(vf a)
{
    vf t = vf_from_vi(__builtin_convertvector(a, vi));
    return t - vf_select((vm)(a < t), vf_set(1), vf_set(0));
}
INLINE vm vm_lt(vf a, vf b)
{
    return (vm)(a < b);
}
INLINE vm vm_ge_int(vi a, vi b)
{
    return a >= b;
}
INLINE vm vm_eq_int(vi a, vi b)
{
    return a == b;
}
INLINE vm vm_not_negative(vi a)
{
    return a >= 0;
}
INLINE unsigned vi_sign_bits(vi a)
{
    vi m = (vi)((vu)a >> 31);
    return (unsigned)(m[0] | m[1] << 1 | m[2] << 2 | m[3] << 3);
}
INLINE vm vm_and(vm a, vm b)
{
    return a & b;
}
INLINE vm vm_or(vm a, vm b)
{
    return a | b;
}
INLINE unsigned vm_bits(vm m)
{
    return (unsigned)((m[0] & 1) | (m[1] & 2) | (m[2] & 4) | (m[3] & 8));
}
INLINE vm vm_from_bits(unsigned bits)
{
    const vi k = {1, 2, 4, 8};
    return (vi_set((int)bits) & k) == k;
}
INLINE vi vi_madd16(vi a, vi b)
{
    vi low_a = (vi)((vu)a << 16) >> 16, low_b = (vi)((vu)b << 16) >> 16;
    return (vi)((vu)low_a * (vu)low_b + (vu)(a >> 16) * (vu)(b >> 16));
}
INLINE vf vf_gather(const float *base, vi index)
{
    return (vf){base[index[0]], base[index[1]], base[index[2]], base[index[3]]};
}
INLINE vi vi_gather(const void *base, vi index)
{
    const int *p = base;
    return (vi){p[index[0]], p[index[1]], p[index[2]], p[index[3]]};
}
INLINE vi vi_gather16(const void *base, vi index)
{
    vi v;
    for (int i = 0; i < LANES; i++) {
        int x;
        memcpy(&x, (const uint16_t *)base + index[i], sizeof x);
        v[i] = x;
    }
    return v;
}
INLINE int vi_compress(void *p, unsigned bits, vi v)
{
    int *out = p, n = 0;
    for (int i = 0; i < LANES; i++)
        if (bits >> i & 1)
            out[n++] = v[i];
    return n;
}
INLINE void vi_store_bytes(uint8_t *p, vi v)
{
    v = vi_min(vi_max(v, vi_set(0)), vi_set(255));
    for (int i = 0; i < LANES; i++)
        p[i] = (uint8_t)v[i];
}
INLINE void vi_store_even_bytes(uint8_t *p, vi v)
{
    p[0] = (uint8_t)v[0];
    p[1] = (uint8_t)v[2];
}
INLINE vf vf_add_pairs(vf v)
{
    return (vf){v[0] + v[1], v[1], v[2] + v[3], v[3]};
}
INLINE vi vi_first_of_4(vi v)
{
    return vi_set(v[0]);
}
INLINE vf vf_first_of_4(vf v)
{
    return vf_set(v[0]);
}
INLINE void vi_load_rows4(const int *base, const int *row, vi *out)
{
    const int *a = base + 4 * (int64_t)row[0], *b = base + 4 * (int64_t)row[1];
    const int *c = base + 4 * (int64_t)row[2], *d = base + 4 * (int64_t)row[3];
    for (int k = 0; k < 3; k++)
        out[k] = (vi){a[k], b[k], c[k], d[k]};
}

#endif

/* --- the same at every level --- */

#define ALL_LANES ((1u << (LANES - 1)) * 2 - 1)

INLINE vi vi_lanes(void)
{
    vi r;
    for (int i = 0; i < LANES; i++)
        r[i] = i;
    return r;
}
INLINE vi vi_shift_right(vi a, int bits)
{
    return (vi)((vu)a >> bits);
}
/* Products and sums that may wrap: signed overflow would be undefined. */
INLINE vi vi_mul(vi a, vi b)
{
    return (vi)((vu)a * (vu)b);
}
INLINE vi vi_add(vi a, vi b)
{
    return (vi)((vu)a + (vu)b);
}
INLINE vi vi_sub(vi a, vi b)
{
    return (vi)((vu)a - (vu)b);
}
INLINE vf vf_sqrt(vf a)
{
    a = vf_max(a, vf_set(1e-12f));
    return a * vf_rsqrt(a);
}
INLINE vf vf_clamp(vf a, float low, float high)
{
    return vf_min(vf_max(a, vf_set(low)), vf_set(high));
}
INLINE vf vf_saturate(vf a)
{
    return vf_clamp(a, 0, 1);
}
INLINE vf vf_mix(vf a, vf b, vf t)
{
    return vf_fma(b - a, t, a);
}
INLINE vf vf_abs(vf a)
{
    return (vf)((vi)a & vi_set(0x7fffffff));
}

/* LANES 3-vectors. */
struct v3 {
    vf x, y, z;
};
INLINE struct v3 v3_set(const float *p)
{
    return (struct v3){vf_set(p[0]), vf_set(p[1]), vf_set(p[2])};
}
INLINE vf v3_dot(struct v3 a, struct v3 b)
{
    return vf_fma(a.x, b.x, vf_fma(a.y, b.y, a.z * b.z));
}
INLINE struct v3 v3_add(struct v3 a, struct v3 b)
{
    return (struct v3){a.x + b.x, a.y + b.y, a.z + b.z};
}
INLINE struct v3 v3_sub(struct v3 a, struct v3 b)
{
    return (struct v3){a.x - b.x, a.y - b.y, a.z - b.z};
}
INLINE struct v3 v3_scale(struct v3 a, vf s)
{
    return (struct v3){a.x * s, a.y * s, a.z * s};
}
/* a + b s */
INLINE struct v3 v3_mad(struct v3 a, struct v3 b, vf s)
{
    return (struct v3){vf_fma(b.x, s, a.x), vf_fma(b.y, s, a.y), vf_fma(b.z, s, a.z)};
}
INLINE struct v3 v3_normalize(struct v3 a)
{
    return v3_scale(a, vf_rsqrt(vf_max(v3_dot(a, a), vf_set(1e-20f))));
}
/* The 3x3 part of a 3x4 matrix, times a vector. */
INLINE struct v3 v3_rotate(const vf *m, struct v3 a)
{
    return (struct v3){vf_fma(m[0], a.x, vf_fma(m[1], a.y, m[2] * a.z)),
                       vf_fma(m[4], a.x, vf_fma(m[5], a.y, m[6] * a.z)),
                       vf_fma(m[8], a.x, vf_fma(m[9], a.y, m[10] * a.z))};
}

/* LANES columns of 16 values -> LANES rows of 16 floats at `out`. */
INLINE void vf_store_rows(float *out, vf *columns)
{
#if defined(__AVX512F__)
    vf_transpose16(columns);
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++)
        vf_store(out + i * 16, columns[i]);
#elif defined(__AVX2__)
    vf a[8], b[8];
    vf_transpose8(columns, 1, a);
    vf_transpose8(columns + 8, 1, b);
    for (int i = 0; i < 8; i++) {
        vf_store(out + i * 16, a[i]);
        vf_store(out + i * 16 + 8, b[i]);
    }
#else
    for (int i = 0; i < LANES; i++)
        for (int k = 0; k < 16; k++)
            out[i * 16 + k] = columns[k][i];
#endif
}

enum { ROW_VECTORS = 16 / LANES };
/* LANES rows of 16 floats, ROW_VECTORS vectors each -> 16 columns. */
INLINE void vf_rows_to_columns(const vf *rows, vf *columns)
{
#if defined(__AVX512F__)
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++)
        columns[i] = rows[i];
    vf_transpose16(columns);
#elif defined(__AVX2__)
    vf_transpose8(rows, 2, columns);
    vf_transpose8(rows + 1, 2, columns + 8);
#else
    for (int k = 0; k < 16; k++)
        for (int i = 0; i < LANES; i++)
            columns[k][i] = rows[i * ROW_VECTORS + k / LANES][k % LANES];
#endif
}

#endif

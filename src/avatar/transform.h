/*
 * Vectors, quaternions (x y z w) and 3x4 affine matrices (row major, as in struct cp_pose) for this stage.
 */
#ifndef CP_AVATAR_TRANSFORM_H
#define CP_AVATAR_TRANSFORM_H

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define CP_RADIANS(degrees) ((degrees)*0.017453293f)

static inline float vec_dot(const float a[3], const float b[3])
{
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

static inline void vec_cross(const float a[3], const float b[3], float ret[3])
{
    float x = a[1] * b[2] - a[2] * b[1], y = a[2] * b[0] - a[0] * b[2], z = a[0] * b[1] - a[1] * b[0];
    ret[0] = x;
    ret[1] = y;
    ret[2] = z;
}

static inline void vec_sub(const float a[3], const float b[3], float ret[3])
{
    for (int i = 0; i < 3; i++)
        ret[i] = a[i] - b[i];
}

/* Makes the vector one long; false (and +y) when it has no direction. */
static inline bool vec_normalize(float v[3])
{
    float length = sqrtf(vec_dot(v, v));
    if (!(length > 1e-12f) || !isfinite(length)) {
        v[0] = v[2] = 0;
        v[1] = 1;
        return false;
    }
    for (int i = 0; i < 3; i++)
        v[i] /= length;
    return true;
}

static inline float clampf(float x, float low, float high)
{
    return x < low ? low : x > high ? high : x;
}

static inline float mixf(float a, float b, float t)
{
    return a + (b - a) * t;
}

/* 0 below `from`, 1 above `to`, smooth between. */
static inline float smooth_step(float from, float to, float x)
{
    float t = clampf((x - from) / (to - from), 0, 1);
    return t * t * (3 - 2 * t);
}

static const float MAT_IDENTITY[12] = {1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0};

/* ret = a * b: first b, then a. ret may not overlap them. */
static inline void mat_multiply(const float a[12], const float b[12], float ret[12])
{
    for (int r = 0; r < 3; r++) {
        const float *row = a + 4 * r;
        for (int c = 0; c < 4; c++)
            ret[4 * r + c] = row[0] * b[c] + row[1] * b[4 + c] + row[2] * b[8 + c] + (c == 3 ? row[3] : 0);
    }
}

static inline void mat_point(const float m[12], const float p[3], float ret[3])
{
    float x = p[0], y = p[1], z = p[2];
    for (int r = 0; r < 3; r++)
        ret[r] = m[4 * r] * x + m[4 * r + 1] * y + m[4 * r + 2] * z + m[4 * r + 3];
}

/* The linear part only: for differences of points. */
static inline void mat_vector(const float m[12], const float v[3], float ret[3])
{
    float x = v[0], y = v[1], z = v[2];
    for (int r = 0; r < 3; r++)
        ret[r] = m[4 * r] * x + m[4 * r + 1] * y + m[4 * r + 2] * z;
}

/* The transposed linear part: the inverse of a rotation. */
static inline void mat_vector_back(const float m[12], const float v[3], float ret[3])
{
    float x = v[0], y = v[1], z = v[2];
    for (int c = 0; c < 3; c++)
        ret[c] = m[c] * x + m[4 + c] * y + m[8 + c] * z;
}

static inline float mat_determinant(const float m[12])
{
    float c[3];
    vec_cross(m + 4, m + 8, c);
    return vec_dot(m, c);
}

/* Cofactors of the linear part: what normals go by (the inverse transposed, but for a factor). */
static inline void mat_cofactor(const float m[12], float ret[12])
{
    memset(ret, 0, 12 * sizeof *ret);
    vec_cross(m + 4, m + 8, ret);
    vec_cross(m + 8, m, ret + 4);
    vec_cross(m, m + 4, ret + 8);
}

/* False when the matrix cannot be inverted. */
static inline bool mat_invert(const float m[12], float ret[12])
{
    float cofactor[12], determinant = mat_determinant(m);
    if (!(fabsf(determinant) > 1e-20f) || !isfinite(determinant))
        return false;
    mat_cofactor(m, cofactor);
    for (int r = 0; r < 3; r++) {
        for (int c = 0; c < 3; c++)
            ret[4 * r + c] = cofactor[4 * c + r] / determinant;
        ret[4 * r + 3] = -(ret[4 * r] * m[3] + ret[4 * r + 1] * m[7] + ret[4 * r + 2] * m[11]);
    }
    return true;
}

static inline void mat_from_trs(const float t[3], const float q[4], const float s[3], float ret[12])
{
    float x = q[0], y = q[1], z = q[2], w = q[3];
    const float rotation[9] = {1 - 2 * (y * y + z * z), 2 * (x * y - z * w),     2 * (x * z + y * w),
                               2 * (x * y + z * w),     1 - 2 * (x * x + z * z), 2 * (y * z - x * w),
                               2 * (x * z - y * w),     2 * (y * z + x * w),     1 - 2 * (x * x + y * y)};
    for (int r = 0; r < 3; r++) {
        for (int c = 0; c < 3; c++)
            ret[4 * r + c] = rotation[3 * r + c] * s[c];
        ret[4 * r + 3] = t[r];
    }
}

static const float QUAT_IDENTITY[4] = {0, 0, 0, 1};

/* ret = a * b: first b, then a. */
static inline void quat_multiply(const float a[4], const float b[4], float ret[4])
{
    float x = a[3] * b[0] + a[0] * b[3] + a[1] * b[2] - a[2] * b[1];
    float y = a[3] * b[1] - a[0] * b[2] + a[1] * b[3] + a[2] * b[0];
    float z = a[3] * b[2] + a[0] * b[1] - a[1] * b[0] + a[2] * b[3];
    float w = a[3] * b[3] - a[0] * b[0] - a[1] * b[1] - a[2] * b[2];
    ret[0] = x;
    ret[1] = y;
    ret[2] = z;
    ret[3] = w;
}

/* Makes the quaternion one long; a degenerate one becomes the identity. */
static inline void quat_normalize(float q[4])
{
    float length = sqrtf(q[0] * q[0] + q[1] * q[1] + q[2] * q[2] + q[3] * q[3]);
    if (!(length > 1e-12f) || !isfinite(length)) {
        memcpy(q, QUAT_IDENTITY, sizeof QUAT_IDENTITY);
        return;
    }
    for (int i = 0; i < 4; i++)
        q[i] /= length;
}

static inline void quat_axis_angle(const float axis[3], float radians, float ret[4])
{
    float s = sinf(radians / 2);
    for (int i = 0; i < 3; i++)
        ret[i] = axis[i] * s;
    ret[3] = cosf(radians / 2);
}

/* Yaw about +y (to the character's left), pitch about +x (down), roll about +z; applied roll first. */
static inline void quat_euler(float yaw, float pitch, float roll, float ret[4])
{
    float cy = cosf(yaw / 2), sy = sinf(yaw / 2), cp = cosf(pitch / 2), sp = sinf(pitch / 2),
          cr = cosf(roll / 2), sr = sinf(roll / 2);
    ret[0] = cy * sp * cr + sy * cp * sr;
    ret[1] = sy * cp * cr - cy * sp * sr;
    ret[2] = cy * cp * sr - sy * sp * cr;
    ret[3] = cy * cp * cr + sy * sp * sr;
}

/* The shortest turn from one unit vector to another. */
static inline void quat_between(const float from[3], const float to[3], float ret[4])
{
    vec_cross(from, to, ret);
    ret[3] = 1 + vec_dot(from, to);
    if (ret[3] < 1e-6f) { /* opposite: any axis across */
        const float x[3] = {1, 0, 0}, y[3] = {0, 1, 0};
        vec_cross(from, fabsf(from[0]) < 0.9f ? x : y, ret);
        ret[3] = 0;
    }
    quat_normalize(ret);
}

/* Takes a matrix apart into translation, rotation and scale. Shear is lost; mirroring goes to the x scale. */
void mat_to_trs(const float m[12], float ret_t[3], float ret_q[4], float ret_s[3]);

#endif

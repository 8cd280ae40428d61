#include "avatar/transform.h"

/* Rotation matrix (rows of three orthonormal columns) to quaternion, by the largest component. */
static void rotation_to_quat(const float r[9], float q[4])
{
    float trace = r[0] + r[4] + r[8];
    if (trace > 0) {
        float s = 2 * sqrtf(1 + trace);
        q[0] = (r[7] - r[5]) / s;
        q[1] = (r[2] - r[6]) / s;
        q[2] = (r[3] - r[1]) / s;
        q[3] = s / 4;
    } else {
        int i = r[4] > r[0] ? 1 : 0;
        if (r[8] > r[4 * i])
            i = 2;
        int j = (i + 1) % 3, k = (i + 2) % 3;
        float s = 2 * sqrtf(fmaxf(1 + r[4 * i] - r[4 * j] - r[4 * k], 1e-12f));
        q[i] = s / 4;
        q[j] = (r[3 * j + i] + r[3 * i + j]) / s;
        q[k] = (r[3 * k + i] + r[3 * i + k]) / s;
        q[3] = (r[3 * k + j] - r[3 * j + k]) / s;
    }
    quat_normalize(q);
}

void mat_to_trs(const float m[12], float ret_t[3], float ret_q[4], float ret_s[3])
{
    float column[3][3], rotation[9];
    for (int c = 0; c < 3; c++) {
        for (int r = 0; r < 3; r++)
            column[c][r] = m[4 * r + c];
        ret_t[c] = m[4 * c + 3];
        ret_s[c] = sqrtf(vec_dot(column[c], column[c]));
    }
    if (mat_determinant(m) < 0) {
        ret_s[0] = -ret_s[0];
        for (int r = 0; r < 3; r++)
            column[0][r] = -column[0][r];
    }
    /* Gram-Schmidt, so that shear or a flat axis still gives a rotation. */
    if (!vec_normalize(column[0]))
        column[0][0] = 1, column[0][1] = 0;
    float along = vec_dot(column[0], column[1]);
    for (int r = 0; r < 3; r++)
        column[1][r] -= along * column[0][r];
    if (!vec_normalize(column[1])) {
        const float x[3] = {1, 0, 0}, y[3] = {0, 1, 0};
        vec_cross(column[0], fabsf(column[0][0]) < 0.9f ? x : y, column[1]);
        vec_normalize(column[1]);
    }
    vec_cross(column[0], column[1], column[2]);
    for (int r = 0; r < 3; r++)
        for (int c = 0; c < 3; c++)
            rotation[3 * r + c] = column[c][r];
    rotation_to_quat(rotation, ret_q);
}

/*
 * How long Mesa's software rasteriser takes for the same picture: same character, camera and size, 4x MSAA,
 * depth test, one directional light a pixel and read-back. It skins and morphs nothing, has no shadows and
 * one simple shader, so the ratio to bench_render flatters it.
 *
 *     LP_NUM_THREADS=0 bench_llvmpipe FILE.glb [WIDTHxHEIGHT] [FRAMES] [SAMPLES]
 */
#include "avatar/avatar.h"
#include "base/clock.h"
#include "render/render.h"

#include <EGL/egl.h>
#include <EGL/eglext.h>
#include <GLES3/gl3.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char VERTEX[] =
    "#version 300 es\n"
    "layout(location=0) in vec3 p; layout(location=1) in vec3 n; layout(location=2) in vec3 c;"
    "uniform mat4 m; out vec3 N, C; void main() { gl_Position = m * vec4(p, 1.); N = n; C = c; }";
static const char FRAGMENT[] =
    "#version 300 es\nprecision highp float; in vec3 N, C; out vec4 o; void main() { vec3 n = normalize(N);"
    "float d = clamp((dot(n, vec3(-.443, .528, .724)) + .3) / 1.3, 0., 1.);"
    "float h = pow(max(dot(n, normalize(vec3(-.443, .528, 1.724))), 0.), 40.);"
    "vec3 x = C * (1.8 * d + .4) + h * .1; o = vec4(pow(clamp(x, 0., 1.), vec3(1. / 2.2)), 1.); }";

static GLuint compile(GLenum type, const char *text)
{
    GLuint shader = glCreateShader(type);
    glShaderSource(shader, 1, &text, NULL);
    glCompileShader(shader);
    return shader;
}

/* The matrix of a view: world to clip space, column major. */
static void matrix_of(const struct cp_view *view, float aspect, float *m)
{
    float f[3], r[3], u[3], length = 0;
    for (int k = 0; k < 3; k++) {
        f[k] = view->target[k] - view->eye[k];
        length += f[k] * f[k];
    }
    for (int k = 0; k < 3; k++)
        f[k] /= sqrtf(length);
    float flat = sqrtf(f[0] * f[0] + f[2] * f[2]);
    r[0] = -f[2] / flat;
    r[1] = 0;
    r[2] = f[0] / flat;
    u[0] = r[1] * f[2] - r[2] * f[1];
    u[1] = r[2] * f[0] - r[0] * f[2];
    u[2] = r[0] * f[1] - r[1] * f[0];
    float scale = 1 / tanf(view->fov_y_rad / 2), near = 0.1f, far = 20;
    const float *axis[4] = {r, u, f, f};
    const float gain[4] = {scale / aspect, scale, (far + near) / (far - near), 1};
    for (int row = 0; row < 4; row++) {
        float shift = 0;
        for (int k = 0; k < 3; k++) {
            m[4 * k + row] = gain[row] * axis[row][k];
            shift -= axis[row][k] * view->eye[k];
        }
        m[12 + row] = gain[row] * shift - (row == 2 ? 2 * far * near / (far - near) : 0);
    }
}

static int open_context(void)
{
    EGLDisplay display = eglGetPlatformDisplay(EGL_PLATFORM_SURFACELESS_MESA, EGL_DEFAULT_DISPLAY, NULL);
    const EGLint want[] = {EGL_RENDERABLE_TYPE, EGL_OPENGL_ES3_BIT, EGL_SURFACE_TYPE, 0, EGL_NONE};
    const EGLint version[] = {EGL_CONTEXT_CLIENT_VERSION, 3, EGL_NONE};
    EGLConfig config;
    EGLint n = 0;
    if (!eglInitialize(display, NULL, NULL) || !eglBindAPI(EGL_OPENGL_ES_API) ||
        !eglChooseConfig(display, want, &config, 1, &n) || n < 1)
        return -1;
    EGLContext context = eglCreateContext(display, config, EGL_NO_CONTEXT, version);
    return eglMakeCurrent(display, EGL_NO_SURFACE, EGL_NO_SURFACE, context) ? 0 : -1;
}

/* A framebuffer with colour and depth. */
static GLuint make_target(int width, int height, int samples)
{
    GLuint buffer[2], target;
    glGenRenderbuffers(2, buffer);
    glBindRenderbuffer(GL_RENDERBUFFER, buffer[0]);
    glRenderbufferStorageMultisample(GL_RENDERBUFFER, samples, GL_RGBA8, width, height);
    glBindRenderbuffer(GL_RENDERBUFFER, buffer[1]);
    glRenderbufferStorageMultisample(GL_RENDERBUFFER, samples, GL_DEPTH_COMPONENT24, width, height);
    glGenFramebuffers(1, &target);
    glBindFramebuffer(GL_FRAMEBUFFER, target);
    glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_COLOR_ATTACHMENT0, GL_RENDERBUFFER, buffer[0]);
    glFramebufferRenderbuffer(GL_FRAMEBUFFER, GL_DEPTH_ATTACHMENT, GL_RENDERBUFFER, buffer[1]);
    return target;
}

static void load_model(const struct cp_model *model)
{
    GLuint buffer[2];
    glGenBuffers(2, buffer);
    glBindBuffer(GL_ARRAY_BUFFER, buffer[0]);
    glBufferData(GL_ARRAY_BUFFER, (GLsizeiptr)((size_t)model->n_vertices * sizeof model->vertices[0]),
                 model->vertices, GL_STATIC_DRAW);
    glBindBuffer(GL_ELEMENT_ARRAY_BUFFER, buffer[1]);
    glBufferData(GL_ELEMENT_ARRAY_BUFFER,
                 (GLsizeiptr)((size_t)model->n_triangles * sizeof model->triangles[0]), model->triangles,
                 GL_STATIC_DRAW);
    const size_t at[3] = {offsetof(struct cp_vertex, position), offsetof(struct cp_vertex, normal),
                          offsetof(struct cp_vertex, color)};
    for (GLuint i = 0; i < 3; i++) {
        glVertexAttribPointer(i, 3, GL_FLOAT, GL_FALSE, sizeof(struct cp_vertex), (const void *)at[i]);
        glEnableVertexAttribArray(i);
    }
}

int main(int argc, char **argv)
{
    int width = 1280, height = 720, frames = argc > 3 ? atoi(argv[3]) : 30,
        samples = argc > 4 ? atoi(argv[4]) : 4;
    struct cp_error error = {0};
    struct cp_model *model = NULL;
    if (argc < 2 || (argc > 2 && sscanf(argv[2], "%dx%d", &width, &height) != 2) || frames < 1) {
        fprintf(stderr, "usage: bench_llvmpipe FILE.glb [WIDTHxHEIGHT] [FRAMES] [SAMPLES]\n");
        return 2;
    }
    if (cp_avatar_load_file(argv[1], &model, &error) || open_context()) {
        fprintf(stderr, "%s\n", error.text[0] ? error.text : "No EGL context without a surface here.");
        return 1;
    }
    struct cp_view view;
    cp_render_frame_camera(cp_render_find_set(""), "medium", model, width, height, &view);
    float matrix[16];
    matrix_of(&view, (float)width / (float)height, matrix);
    GLuint program = glCreateProgram();
    glAttachShader(program, compile(GL_VERTEX_SHADER, VERTEX));
    glAttachShader(program, compile(GL_FRAGMENT_SHADER, FRAGMENT));
    glLinkProgram(program);
    glUseProgram(program);
    glUniformMatrix4fv(glGetUniformLocation(program, "m"), 1, GL_FALSE, matrix);
    load_model(model);
    GLuint plain = make_target(width, height, 0),
           drawn = samples > 1 ? make_target(width, height, samples) : plain;
    uint8_t *pixels = malloc((size_t)width * (size_t)height * 4);
    glEnable(GL_DEPTH_TEST);
    int64_t spent = 0;
    long covered = 0;
    for (int i = -3; i < frames; i++) {
        int64_t start = cp_clock_thread_cpu_ns();
        glBindFramebuffer(GL_FRAMEBUFFER, drawn);
        glViewport(0, 0, width, height);
        glClearColor(0, 0, 0, 0);
        glClear(GL_COLOR_BUFFER_BIT | GL_DEPTH_BUFFER_BIT);
        glDrawElements(GL_TRIANGLES, model->n_triangles * 3, GL_UNSIGNED_INT, NULL);
        if (samples > 1) {
            glBindFramebuffer(GL_DRAW_FRAMEBUFFER, plain);
            glBlitFramebuffer(0, 0, width, height, 0, 0, width, height, GL_COLOR_BUFFER_BIT, GL_NEAREST);
            glBindFramebuffer(GL_FRAMEBUFFER, plain);
        }
        glReadPixels(0, 0, width, height, GL_RGBA, GL_UNSIGNED_BYTE, pixels);
        if (i >= 0)
            spent += cp_clock_thread_cpu_ns() - start;
    }
    for (int i = 0; i < width * height; i++)
        covered += pixels[4 * i + 3] > 0;
    printf("%s: %dx%d, %d samples, %d triangles: %.1f ms of CPU a frame; %ld pixels covered\n",
           (const char *)glGetString(GL_RENDERER), width, height, samples, model->n_triangles,
           (double)spent / 1e6 / frames, covered);
    free(pixels);
    cp_ref_drop(model);
    return 0;
}

/*
 * How long Mesa's software rasteriser takes for the same picture: same character, camera and size, 4x MSAA,
 * back faces culled, and read-back as RGBA. One shader evaluates what ours does for a point: key, fill, two
 * rim lights, sky and ground, occlusion, a highlight, the strand highlight along the tangent, a 3x3 look-up
 * in a shadow map that is drawn every second frame, and the tone curve. It skins and morphs nothing, draws no
 * backdrop and makes no I420, so the ratio to bench_render still flatters it.
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

#define SHADOW_SIZE 512 /* texels a side, as in the renderer */

static const char VERTEX[] =
    "#version 300 es\n"
    "layout(location=0) in vec3 p; layout(location=1) in vec3 n; layout(location=2) in vec3 t;"
    "layout(location=3) in vec4 c; uniform mat4 m, l; out vec3 P, N, T; out vec4 C, L;"
    "void main() { gl_Position = m * vec4(p, 1.); P = p; N = n; T = t; C = c; L = l * vec4(p, 1.); }";
static const char FRAGMENT[] =
    "#version 300 es\nprecision highp float; precision highp sampler2DShadow;"
    "in vec3 P, N, T; in vec4 C, L; out vec4 o; uniform vec3 eye; uniform sampler2DShadow s;"
    "float lit() { vec3 q = L.xyz / L.w * .5 + .5; float a = 0.;"
    " for (int y = -1; y <= 1; y++) for (int x = -1; x <= 1; x++)"
    "  a += texture(s, q + vec3(vec2(x, y) / 512., -.004)); return a / 9.; }"
    "vec3 light(vec3 n, vec3 v, vec3 t, vec3 d, vec3 c) { vec3 h = normalize(d + v);"
    " float w = clamp((dot(n, d) + .3) / 1.3, 0., 1.), g = pow(max(dot(n, h), 0.), 40.);"
    " float a = dot(t, h), k = pow(max(1. - a * a, 0.), 30.); return c * (C.rgb * w + g * .1 + k * .02); }"
    "void main() { vec3 n = normalize(N), v = normalize(eye - P), t = normalize(T + vec3(1e-6));"
    " if (dot(n, v) < 0.) n = -n;"
    " vec3 x = light(n, v, t, vec3(-.443, .528, .724), vec3(2., 1.9, 1.8)) * lit();"
    " x += light(n, v, t, vec3(.8, .1, .6), vec3(.4, .45, .5));"
    " x += light(n, v, t, vec3(-.7, .3, -.65), vec3(.5, .6, .8)) + light(n, v, t, vec3(.7, .3, -.65), "
    "vec3(.6, .5, .4));"
    " x += C.rgb * C.a * mix(vec3(.1, .09, .08), vec3(.3, .33, .38), n.y * .5 + .5);"
    " float f = pow(1. - max(dot(n, v), 0.), 5.); x += f * .04; x = x * (2.51 * x + .03) / (x * (2.43 * x + "
    ".59) + .14);"
    " o = vec4(pow(clamp(x, 0., 1.), vec3(1. / 2.2)), 1.); }";
static const char SHADOW_FRAGMENT[] =
    "#version 300 es\nprecision highp float; out vec4 o; void main() { o = vec4(1.); }";

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
    const size_t at[4] = {offsetof(struct cp_vertex, position), offsetof(struct cp_vertex, normal),
                          offsetof(struct cp_vertex, tangent), offsetof(struct cp_vertex, color)};
    for (GLuint i = 0; i < 4; i++) {
        glVertexAttribPointer(i, i == 3 ? 4 : 3, GL_FLOAT, GL_FALSE, sizeof(struct cp_vertex),
                              (const void *)at[i]);
        glEnableVertexAttribArray(i);
    }
}

static GLuint make_program(const char *fragment)
{
    GLuint program = glCreateProgram();
    glAttachShader(program, compile(GL_VERTEX_SHADER, VERTEX));
    glAttachShader(program, compile(GL_FRAGMENT_SHADER, fragment));
    glLinkProgram(program);
    GLint linked = 0;
    char log[512] = "";
    glGetProgramiv(program, GL_LINK_STATUS, &linked);
    glGetProgramInfoLog(program, sizeof log, NULL, log);
    if (!linked) {
        fprintf(stderr, "the shader does not link: %s\n", log);
        exit(1);
    }
    return program;
}

/* A depth texture to draw the shadow map into, bound to unit 0. */
static GLuint make_shadow_map(void)
{
    GLuint texture, target;
    glGenTextures(1, &texture);
    glBindTexture(GL_TEXTURE_2D, texture);
    glTexStorage2D(GL_TEXTURE_2D, 1, GL_DEPTH_COMPONENT24, SHADOW_SIZE, SHADOW_SIZE);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_COMPARE_MODE, GL_COMPARE_REF_TO_TEXTURE);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MIN_FILTER, GL_NEAREST);
    glTexParameteri(GL_TEXTURE_2D, GL_TEXTURE_MAG_FILTER, GL_NEAREST);
    glGenFramebuffers(1, &target);
    glBindFramebuffer(GL_FRAMEBUFFER, target);
    glFramebufferTexture2D(GL_FRAMEBUFFER, GL_DEPTH_ATTACHMENT, GL_TEXTURE_2D, texture, 0);
    return target;
}

/* The key light looks at the head from afar: nearly parallel rays. */
static struct cp_view light_view(const struct cp_view *camera)
{
    struct cp_view light = *camera;
    const float key[3] = {-0.443f, 0.528f, 0.724f};
    for (int k = 0; k < 3; k++)
        light.eye[k] = camera->target[k] + 6 * key[k];
    light.fov_y_rad = 0.16f;
    return light;
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
    struct cp_view key = light_view(&view);
    float matrix[16], light[16];
    matrix_of(&view, (float)width / (float)height, matrix);
    matrix_of(&key, 1, light);
    GLuint program = make_program(FRAGMENT), shadow_program = make_program(SHADOW_FRAGMENT),
           shadow = make_shadow_map();
    load_model(model);
    GLuint plain = make_target(width, height, 0),
           drawn = samples > 1 ? make_target(width, height, samples) : plain;
    uint8_t *pixels = malloc((size_t)width * (size_t)height * 4);
    glEnable(GL_DEPTH_TEST);
    glEnable(GL_CULL_FACE);
    int64_t spent = 0;
    long covered = 0;
    for (int i = -3; i < frames; i++) {
        int64_t start = cp_clock_thread_cpu_ns();
        if (i % 2 == 0) {
            glBindFramebuffer(GL_FRAMEBUFFER, shadow);
            glViewport(0, 0, SHADOW_SIZE, SHADOW_SIZE);
            glClear(GL_DEPTH_BUFFER_BIT);
            glUseProgram(shadow_program);
            glUniformMatrix4fv(glGetUniformLocation(shadow_program, "m"), 1, GL_FALSE, light);
            glDrawElements(GL_TRIANGLES, model->n_triangles * 3, GL_UNSIGNED_INT, NULL);
        }
        glUseProgram(program);
        glUniformMatrix4fv(glGetUniformLocation(program, "m"), 1, GL_FALSE, matrix);
        glUniformMatrix4fv(glGetUniformLocation(program, "l"), 1, GL_FALSE, light);
        glUniform3fv(glGetUniformLocation(program, "eye"), 1, view.eye);
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

/* The commands. */
#include "app/app.h"
#include "base/heap.h"

#include <stdio.h>
#include <string.h>

static const char USAGE[] =
    "Compere " CP_VERSION ": live shows with a digital human.\n"
    "\n"
    "  compere demo   [options]                 serve, with a demo channel \"main\" that greets and "
    "performs\n"
    "  compere serve  [options]                 serve the channels that are kept in the data directory\n"
    "  compere render (--text T | --ssml FILE | --rundown FILE) -o out.mp4      a video, faster than real "
    "time\n"
    "  compere say TEXT [--channel main] [--url URL]                            speaks on a running server\n"
    "  compere key create --role admin|operator|viewer [--name N] [--data DIR]  prints a new key, once\n"
    "  compere store check|lifecycle|orphans|sweep [--data DIR]                 looks after what is kept\n"
    "  compere avatar check FILE [--json]       what a 3D character has, what is missing, what will be done\n"
    "  compere eval FILE [--collection NAME]    how well the knowledge base answers a set of questions\n"
    "  compere doctor [options]                 what is usable here, and why the rest is not\n"
    "\n"
    "  compere COMMAND --help                   the command's options\n"
    "\n"
    "Environment: COMPERE_URL and COMPERE_KEY for say; COMPERE_DATA for the data directory.\n";

int main(int argc, char **argv)
{
    const char *command = argc > 1 ? argv[1] : "";
    argc = argc > 2 ? argc - 2 : 0;
    argv += 2;
    cp_heap_set_up();
    cp_render_route_libav_log();
    if (!strcmp(command, "serve"))
        return cp_cmd_serve(argc, argv, false);
    if (!strcmp(command, "demo"))
        return cp_cmd_serve(argc, argv, true);
    if (!strcmp(command, "render"))
        return cp_cmd_render(argc, argv);
    if (!strcmp(command, "say"))
        return cp_cmd_say(argc, argv);
    if (!strcmp(command, "key"))
        return cp_cmd_key(argc, argv);
    if (!strcmp(command, "store"))
        return cp_cmd_store(argc, argv);
    if (!strcmp(command, "avatar"))
        return cp_cmd_avatar(argc, argv);
    if (!strcmp(command, "eval"))
        return cp_cmd_eval(argc, argv);
    if (!strcmp(command, "doctor"))
        return cp_cmd_doctor(argc, argv);
    if (!strcmp(command, "--version") || !strcmp(command, "version")) {
        puts("compere " CP_VERSION);
        return 0;
    }
    bool help = !strcmp(command, "--help") || !strcmp(command, "help") || !strcmp(command, "-h");
    if (!help && *command)
        fprintf(stderr, "compere: there is no command \"%s\"\n\n", command);
    fputs(USAGE, help ? stdout : stderr);
    return help ? 0 : 2;
}

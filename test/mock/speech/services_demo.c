/* The stand-ins as a program, so that foreign clients can judge them: prints "PORT SECRET", ends with its
 * input. */
#include "services.h"
#include "web.h"

#include <stdio.h>

int main(void)
{
    struct services *services = services_start();
    if (!services->web)
        return 1;
    printf("%d %s\n", web_port(services->web), SERVICES_SECRET);
    fflush(stdout);
    while (getchar() != EOF)
        ;
    int n_bad = atomic_load(&services->n_bad);
    services_stop(services);
    return n_bad ? 3 : 0; /* a request was not as documented */
}

#include "deliver/webrtc/outbox.h"
#include "unit.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

struct ends {
    int from, to[2];
    struct cp_path path[2];
    struct cp_outbox *outbox;
};

static int bound_socket(struct cp_address *ret_address)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), size = 4 << 20;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ret_address->length = sizeof ret_address->v4;
    getsockname(fd, &ret_address->any, &ret_address->length);
    return fd;
}

static struct ends open_ends(void)
{
    struct ends ends = {0};
    struct cp_address own;
    ends.from = bound_socket(&own);
    for (int i = 0; i < 2; i++)
        ends.to[i] = bound_socket(&ends.path[i].to);
    ends.outbox = cp_outbox_create(ends.from);
    assert_non_null(ends.outbox);
    return ends;
}

static void close_ends(struct ends *ends)
{
    cp_outbox_destroy(ends->outbox);
    close(ends->from);
    close(ends->to[0]);
    close(ends->to[1]);
}

static void add(struct ends *ends, int to, size_t length, uint8_t mark)
{
    memset(cp_outbox_add(ends->outbox, &ends->path[to], length), mark, length);
}

static void expect(struct ends *ends, int to, size_t length, uint8_t mark)
{
    uint8_t data[2048];
    assert_int_equal(recv(ends->to[to], data, sizeof data, 0), length);
    assert_int_equal(data[0], mark);
    assert_int_equal(data[length - 1], mark);
}

/* Whether sent as segments or alone, every packet arrives as it was, in order, at its own address. */
static void check_packets(bool segments)
{
    static const size_t SIZES[] = {1200, 1200, 1200, 80, 80, 1200, 1200, 1, 500, 600, 600, 600, 599, 599};
    struct ends ends = open_ends();
    if (!segments)
        cp_outbox_no_segments(ends.outbox);
    uint64_t bytes = 0, packets = 0;
    for (int to = 0; to < 2; to++) {
        for (uint8_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++) {
            add(&ends, to, SIZES[i], (uint8_t)(i + 100 * to));
            bytes += SIZES[i];
            packets++;
        }
    }
    cp_outbox_flush(ends.outbox);
    for (int to = 0; to < 2; to++)
        for (uint8_t i = 0; i < sizeof SIZES / sizeof SIZES[0]; i++)
            expect(&ends, to, SIZES[i], (uint8_t)(i + 100 * to));
    struct cp_outbox_stats stats = cp_outbox_stats(ends.outbox);
    assert_int_equal(stats.packets, packets);
    assert_int_equal(stats.bytes, bytes);
    assert_int_equal(stats.errors, 0);
    close_ends(&ends);
}

static void packets_arrive_as_segments(void **state)
{
    check_packets(true);
}

static void packets_arrive_alone(void **state)
{
    check_packets(false);
}

static void more_than_fits_is_sent_meanwhile(void **state)
{
    struct ends ends = open_ends();
    for (int i = 0; i < 200; i++) {
        add(&ends, i % 2, 1000, (uint8_t)i);
        if (i % 40 == 39)
            for (int k = i - 39; k <= i - 33; k++) /* what was flushed by itself */
                expect(&ends, k % 2, 1000, (uint8_t)k);
        if (i % 40 == 39) {
            cp_outbox_flush(ends.outbox);
            for (int k = i - 32; k <= i; k++)
                expect(&ends, k % 2, 1000, (uint8_t)k);
        }
    }
    close_ends(&ends);
}

static void undone_packet_is_not_sent(void **state)
{
    struct ends ends = open_ends();
    uint8_t data[16];
    add(&ends, 0, 300, 1);
    add(&ends, 0, 300, 2);
    cp_outbox_undo(ends.outbox);
    add(&ends, 0, 300, 3);
    add(&ends, 1, 300, 4);
    cp_outbox_undo(ends.outbox);
    cp_outbox_flush(ends.outbox);
    expect(&ends, 0, 300, 1);
    expect(&ends, 0, 300, 3);
    assert_int_equal(recv(ends.to[0], data, sizeof data, 0), -1);
    assert_int_equal(recv(ends.to[1], data, sizeof data, 0), -1);
    close_ends(&ends);
}

static void unreachable_address_costs_only_its_own_packets(void **state)
{
    struct ends ends = open_ends();
    struct cp_path nowhere = ends.path[0];
    nowhere.to.v4.sin_port = 0; /* the kernel refuses port 0 */
    add(&ends, 0, 100, 1);
    memset(cp_outbox_add(ends.outbox, &nowhere, 100), 2, 100);
    memset(cp_outbox_add(ends.outbox, &nowhere, 100), 2, 100);
    add(&ends, 1, 100, 3);
    cp_outbox_flush(ends.outbox);
    expect(&ends, 0, 100, 1);
    expect(&ends, 1, 100, 3);
    assert_int_equal(cp_outbox_stats(ends.outbox).errors, 2);
    assert_int_equal(cp_outbox_stats(ends.outbox).packets, 2);
    close_ends(&ends);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(packets_arrive_as_segments),
        cmocka_unit_test(packets_arrive_alone),
        cmocka_unit_test(more_than_fits_is_sent_meanwhile),
        cmocka_unit_test(undone_packet_is_not_sent),
        cmocka_unit_test(unreachable_address_costs_only_its_own_packets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

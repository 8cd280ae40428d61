/* Documents of an S3 server. Foreign bytes: entities are not expanded, nothing is fetched, sizes are bounded.
 */
#include "store/s3.h"

#include "base/clock.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_DOCUMENT_BYTES = 8 << 20, TEXT_BYTES = CP_S3_KEY_BYTES };

#define NAMESPACE "http://s3.amazonaws.com/doc/2006-03-01/"
#define TAG       "compere-days"

static const int DAYS[CP_S3_MAX_DAYS] = {1, 2, 3, 7, 14, 30, 60, 90, 180, 365};

static xmlDoc *read_document(const void *xml, size_t length)
{
    if (!xml || !length || length > MAX_DOCUMENT_BYTES)
        return NULL;
    return xmlReadMemory(xml, (int)length, "", NULL,
                         XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOBLANKS);
}

static bool is_named(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && !strcmp((const char *)node->name, name);
}

static xmlNode *child(const xmlNode *node, const char *name)
{
    for (xmlNode *at = node ? node->children : NULL; at; at = at->next)
        if (is_named(at, name))
            return at;
    return NULL;
}

/* The text directly in an element; false when it does not fit or has parts. */
static bool read_text(const xmlNode *node, char *text, size_t capacity)
{
    *text = 0;
    if (!node)
        return false;
    const xmlNode *inside = node->children;
    if (!inside)
        return true;
    if (inside->next || inside->type != XML_TEXT_NODE || strlen((const char *)inside->content) >= capacity)
        return false;
    snprintf(text, capacity, "%s", (const char *)inside->content);
    return true;
}

static const xmlNode *find(const xmlNode *node, const char *name, int depth)
{
    for (; node && depth < 8; node = node->next) {
        if (is_named(node, name))
            return node;
        const xmlNode *below = node->type == XML_ELEMENT_NODE ? find(node->children, name, depth + 1) : NULL;
        if (below)
            return below;
    }
    return NULL;
}

void cp_s3_read_element(const void *xml, size_t length, const char *name, char *text, size_t capacity)
{
    xmlDoc *document = read_document(xml, length);
    *text = 0;
    if (document && !read_text(find(xmlDocGetRootElement(document), name, 0), text, capacity))
        *text = 0;
    xmlFreeDoc(document);
}

/* "2026-01-02T03:04:05.678Z" to nanoseconds since 1970; 0 when it is none. */
static int64_t read_time(const char *text)
{
    struct tm utc = {0};
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &utc);
    if (!rest)
        return 0;
    double part = *rest == '.' ? strtod(rest, NULL) : 0;
    return (int64_t)timegm(&utc) * CP_NS_PER_S + (int64_t)(part * 1e9);
}

static bool read_entry(const xmlNode *contents, struct cp_s3_entry *entry)
{
    char size[32], modified[40], *end;
    if (!read_text(child(contents, "Key"), entry->key, sizeof entry->key) || !*entry->key ||
        !read_text(child(contents, "Size"), size, sizeof size) ||
        !read_text(child(contents, "LastModified"), modified, sizeof modified))
        return false;
    entry->length_bytes = strtoll(size, &end, 10);
    entry->modified_wall_ns = read_time(modified);
    return end != size && !*end && entry->length_bytes >= 0;
}

int cp_s3_read_page(const void *xml, size_t length, int max_entries, struct cp_s3_page *ret_page,
                    struct cp_error *error)
{
    xmlDoc *document = read_document(xml, length);
    xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
    struct cp_s3_entry *entries = calloc((size_t)max_entries + 1, sizeof *entries);
    char truncated[8] = "";
    int n = 0, result = 0;
    if (!entries)
        result = cp_fail(error, CP_ERR_NOMEM, "store", "out of memory");
    else if (!root || !is_named(root, "ListBucketResult"))
        result = cp_fail(error, CP_ERR_FORMAT, "store", "the object store's list is not XML of S3");
    for (xmlNode *at = result ? NULL : root->children; at && !result; at = at->next) {
        if (!is_named(at, "Contents"))
            continue;
        if (n == max_entries)
            result = cp_fail(error, CP_ERR_FORMAT, "store",
                             "the object store's list is longer than was asked for");
        else if (read_entry(at, &entries[n])) /* a key that is too long is not ours */
            n++;
    }
    if (result) {
        free(entries);
    } else {
        read_text(child(root, "IsTruncated"), truncated, sizeof truncated);
        *ret_page = (struct cp_s3_page){.entries = entries, .n = n, .more = !strcmp(truncated, "true")};
    }
    xmlFreeDoc(document);
    return result;
}

/* --- lifecycle --- */

/* "compere 7 days of shows/": the rule's ID. radosgw and AWS take 255 characters. */
static void rule_id(int days, const char *prefix, char id[256])
{
    if (days)
        snprintf(id, 256, "compere %d days of %.200s", days, prefix);
    else
        snprintf(id, 256, "compere uploads of %.200s", prefix);
}

static bool is_ours(const xmlNode *rule, const char *prefix)
{
    char id[256], wanted[256];
    if (!is_named(rule, "Rule") || !read_text(child(rule, "ID"), id, sizeof id))
        return false;
    for (int i = -1; i < CP_S3_MAX_DAYS; i++) {
        rule_id(i < 0 ? 0 : DAYS[i], prefix, wanted);
        if (!strcmp(id, wanted))
            return true;
    }
    return false;
}

static xmlNode *add(xmlNode *parent, const char *name, const char *text)
{
    return xmlNewTextChild(parent, parent->ns, BAD_CAST name, BAD_CAST text);
}

static void add_rule(xmlNode *root, int days, const char *prefix)
{
    char id[256], number[16];
    rule_id(days, prefix, id);
    snprintf(number, sizeof number, "%d", days ? days : 1);
    xmlNode *rule = add(root, "Rule", NULL);
    add(rule, "ID", id);
    xmlNode *filter = add(rule, "Filter", NULL);
    if (days) {
        xmlNode *both = add(filter, "And", NULL), *tag;
        add(both, "Prefix", prefix);
        tag = add(both, "Tag", NULL);
        add(tag, "Key", TAG);
        add(tag, "Value", number);
    } else {
        add(filter, "Prefix", prefix);
    }
    add(rule, "Status", "Enabled");
    if (days)
        add(add(rule, "Expiration", NULL), "Days", number);
    else
        add(add(rule, "AbortIncompleteMultipartUpload", NULL), "DaysAfterInitiation", number);
}

int cp_s3_write_lifecycle(const void *now, size_t length, const char *prefix, struct cp_buffer *out,
                          struct cp_error *error)
{
    xmlDoc *document = NULL;
    xmlChar *text = NULL;
    int bytes = 0;
    if (now) {
        document = read_document(now, length);
        xmlNode *found = document ? xmlDocGetRootElement(document) : NULL;
        if (!found || !is_named(found, "LifecycleConfiguration")) {
            xmlFreeDoc(document);
            return cp_fail(error, CP_ERR_FORMAT, "store",
                           "the bucket's lifecycle is not one that can be read; nothing was changed");
        }
    } else if ((document = xmlNewDoc(BAD_CAST "1.0"))) {
        xmlNode *made = xmlNewDocNode(document, NULL, BAD_CAST "LifecycleConfiguration", NULL);
        xmlSetNs(made, xmlNewNs(made, BAD_CAST NAMESPACE, NULL));
        xmlDocSetRootElement(document, made);
    }
    if (!document)
        return cp_fail(error, CP_ERR_NOMEM, "store", "out of memory");
    xmlNode *root = xmlDocGetRootElement(document);
    for (xmlNode *at = root->children, *next; at; at = next) {
        next = at->next;
        if (is_ours(at, prefix)) {
            xmlUnlinkNode(at);
            xmlFreeNode(at);
        }
    }
    for (int i = 0; i < CP_S3_MAX_DAYS; i++)
        add_rule(root, DAYS[i], prefix);
    add_rule(root, 0, prefix);
    xmlDocDumpMemoryEnc(document, &text, &bytes, "UTF-8");
    cp_buffer_add(out, text, (size_t)bytes);
    xmlFree(text);
    xmlFreeDoc(document);
    return text && !out->failed ? 0 : cp_fail(error, CP_ERR_NOMEM, "store", "out of memory");
}

int cp_s3_count_rules(const void *xml, size_t length, const char *prefix, int *ret_wanted)
{
    xmlDoc *document = read_document(xml, length);
    xmlNode *root = document ? xmlDocGetRootElement(document) : NULL;
    int n = 0;
    for (xmlNode *at = root ? root->children : NULL; at; at = at->next)
        n += is_ours(at, prefix);
    xmlFreeDoc(document);
    *ret_wanted = CP_S3_MAX_DAYS + 1;
    return n;
}

void cp_s3_expiry_tag(int64_t expires_wall_ns, int64_t now_wall_ns, char tag[32])
{
    const int64_t day_ns = 86400 * CP_NS_PER_S;
    *tag = 0;
    for (int i = 0; expires_wall_ns && i < CP_S3_MAX_DAYS; i++)
        if (expires_wall_ns - now_wall_ns <= DAYS[i] * day_ns) {
            snprintf(tag, 32, TAG "=%d", DAYS[i]);
            return;
        }
}

/* Every example of routes/ loads, without a warning. The certificates are made here. */
#include "tests/unit/config/config_fixture.h"

#include <dirent.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/core/array.h"

/* Copies of *.cfg, laid out as in routes/: the folder certs beside them or one above. */
struct copied_folder {
    char root[64]; /* has certs */
    char path[80]; /* has the copies: the root, or a folder in it */
    char **names;
    size_t count;
};

static void path_join(char *text, size_t size, const char *folder, const char *name)
{
    assert_true(snprintf(text, size, "%s/%s", folder, name) < (int)size);
}

static void write_certificate(const char *folder)
{
    char path[256];
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    assert_true(key != NULL && certificate != NULL);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_set_pubkey(certificate, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
    assert_true(X509_sign(certificate, key, EVP_sha256()) > 0);
    path_join(path, sizeof(path), folder, "certs/dev.pem");
    FILE *out = fopen(path, "we");
    assert_non_null(out);
    assert_int_equal(PEM_write_X509(out, certificate), 1);
    fclose(out);
    path_join(path, sizeof(path), folder, "certs/dev.key");
    out = fopen(path, "we");
    assert_non_null(out);
    assert_int_equal(PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(out);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

static void copy_file(const char *from, const char *to)
{
    char bytes[4096];
    FILE *in = fopen(from, "re");
    FILE *out = fopen(to, "we");
    assert_true(in != NULL && out != NULL);
    for (size_t got = fread(bytes, 1, sizeof(bytes), in); got > 0;
         got = fread(bytes, 1, sizeof(bytes), in))
        assert_int_equal(fwrite(bytes, 1, got, out), got);
    fclose(in);
    fclose(out);
}

static bool is_configuration(const char *name)
{
    size_t length = strlen(name);
    return length > 4 && strcmp(name + length - 4, ".cfg") == 0;
}

/* `inner`: the folder below the root that takes the copies, or "". */
static void copy_folder(struct copied_folder *copy, const char *from, const char *inner)
{
    *copy = (struct copied_folder){.root = "/tmp/strangler-config-XXXXXX"};
    assert_non_null(mkdtemp(copy->root));
    char source[512];
    char target[512];
    path_join(copy->path, sizeof(copy->path), copy->root, inner);
    assert_true(inner[0] == '\0' || mkdir(copy->path, 0700) == 0);
    path_join(target, sizeof(target), copy->root, "certs");
    assert_int_equal(mkdir(target, 0700), 0);
    write_certificate(copy->root);
    copy->names = memory_zalloc(100 * sizeof(*copy->names));
    DIR *folder = opendir(from);
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        if (!is_configuration(entry->d_name))
            continue;
        assert_true(copy->count < 100);
        path_join(source, sizeof(source), from, entry->d_name);
        path_join(target, sizeof(target), copy->path, entry->d_name);
        copy_file(source, target);
        copy->names[copy->count++] = memory_strdup(entry->d_name);
    }
    closedir(folder);
}

static void remove_folder(struct copied_folder *copy)
{
    char path[512];
    for (size_t i = 0; i < copy->count; i++) {
        path_join(path, sizeof(path), copy->path, copy->names[i]);
        unlink(path);
        free(copy->names[i]);
    }
    free(copy->names);
    path_join(path, sizeof(path), copy->root, "certs/dev.pem");
    unlink(path);
    path_join(path, sizeof(path), copy->root, "certs/dev.key");
    unlink(path);
    path_join(path, sizeof(path), copy->root, "certs");
    rmdir(path);
    rmdir(copy->path);
    rmdir(copy->root);
}

static void assert_clean(struct loaded *loaded)
{
    char *text = report_text(&loaded->report);
    assert_string_equal(text, "");
    free(text);
    assert_non_null(loaded->snapshot);
}

static void every_example_loads_without_a_warning(void **state)
{
    (void)state;
    struct copied_folder copy;
    copy_folder(&copy, EXAMPLES_FOLDER, "examples");
    assert_true(copy.count >= 8);
    for (size_t i = 0; i < copy.count; i++) {
        char path[512];
        struct loaded loaded;
        path_join(path, sizeof(path), copy.path, copy.names[i]);
        loaded_from_path(&loaded, path);
        assert_clean(&loaded);
        loaded_done(&loaded);
    }
    remove_folder(&copy);
}

static void the_forum_migration_loads_without_a_warning(void **state)
{
    (void)state;
    struct copied_folder copy;
    struct loaded loaded;
    copy_folder(&copy, ROUTES_FOLDER, "");
    loaded_from_path(&loaded, copy.path);
    assert_clean(&loaded);
    assert_int_equal(loaded.snapshot->listener_count, 2);
    assert_non_null(loaded.snapshot->listeners[0].tls);
    assert_null(loaded.snapshot->listeners[1].tls);
    assert_int_equal(loaded.snapshot->backend_count, 4);
    assert_int_equal(loaded.snapshot->modules->count, 3);
    loaded_done(&loaded);
    remove_folder(&copy);
}

static void a_key_of_another_certificate_is_refused(void **state)
{
    (void)state;
    struct copied_folder copy;
    struct loaded loaded;
    char path[512];
    char kept[512];
    copy_folder(&copy, ROUTES_FOLDER, "");
    path_join(path, sizeof(path), copy.root, "certs/dev.pem");
    path_join(kept, sizeof(kept), copy.root, "certs/kept.pem");
    assert_int_equal(rename(path, kept), 0);
    write_certificate(copy.root);
    assert_int_equal(rename(kept, path), 0);
    loaded_from_path(&loaded, copy.path);
    char *lines = report_lines(&loaded.report, false);
    assert_non_null(strstr(lines, "error bad-certificate"));
    free(lines);
    loaded_done(&loaded);
    remove_folder(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_loads_without_a_warning),
        cmocka_unit_test(the_forum_migration_loads_without_a_warning),
        cmocka_unit_test(a_key_of_another_certificate_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

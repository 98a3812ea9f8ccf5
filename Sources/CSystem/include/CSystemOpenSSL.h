// SPDX-License-Identifier: Apache-2.0
// Part of swift-stomp. See LICENSE and NOTICE.

// The functions of OpenSSL 3 that are used, declared here and looked up when the process needs them first. So neither
// its headers nor its libraries are needed to build, and nothing that does without TLS loads them.

#ifndef SWIFT_STOMP_CSYSTEM_OPENSSL_H
#define SWIFT_STOMP_CSYSTEM_OPENSSL_H

#include <stddef.h>
#include <stdint.h>

typedef struct csystem_asn1_time csystem_asn1_time;
typedef struct csystem_bio csystem_bio;
typedef struct csystem_bio_method csystem_bio_method;
typedef struct csystem_cipher csystem_cipher;
typedef struct csystem_digest csystem_digest;
typedef struct csystem_extension csystem_extension;
typedef struct csystem_key csystem_key;
typedef struct csystem_name csystem_name;
typedef struct csystem_public_key csystem_public_key;
typedef struct csystem_ssl csystem_ssl;
typedef struct csystem_ssl_context csystem_ssl_context;
typedef struct csystem_ssl_method csystem_ssl_method;
typedef struct csystem_stack csystem_stack;
typedef struct csystem_verification csystem_verification;
typedef struct csystem_verify_parameters csystem_verify_parameters;
typedef struct csystem_x509 csystem_x509;
typedef struct csystem_x509_store csystem_x509_store;

typedef int csystem_password_callback(char *buffer, int size, int is_writing, void *argument);
typedef int csystem_verify_callback(csystem_verification *verification, void *argument);

/// Result, name and parameters of each, as in OpenSSL's manual.
#define CSYSTEM_OPENSSL_FUNCTIONS(F) \
    F(unsigned long, OpenSSL_version_num, (void)) \
    F(const char *, OpenSSL_version, (int kind)) \
    F(int, OPENSSL_init_ssl, (uint64_t options, const void *settings)) \
    F(void, ERR_clear_error, (void)) \
    F(unsigned long, ERR_get_error, (void)) \
    F(void, ERR_error_string_n, (unsigned long error, char *buffer, size_t size)) \
    F(const char *, ERR_reason_error_string, (unsigned long error)) \
    F(csystem_bio *, BIO_new, (const csystem_bio_method *method)) \
    F(csystem_bio *, BIO_new_mem_buf, (const void *bytes, int count)) \
    F(const csystem_bio_method *, BIO_s_mem, (void)) \
    F(int, BIO_read, (csystem_bio *bio, void *buffer, int size)) \
    F(int, BIO_free, (csystem_bio *bio)) \
    F(int, BIO_get_new_index, (void)) \
    F(csystem_bio_method *, BIO_meth_new, (int type, const char *name)) \
    F(int, BIO_meth_set_write, (csystem_bio_method *method, int (*write)(csystem_bio *, const char *, int))) \
    F(int, BIO_meth_set_read, (csystem_bio_method *method, int (*read)(csystem_bio *, char *, int))) \
    F(int, BIO_meth_set_ctrl, (csystem_bio_method *method, long (*control)(csystem_bio *, int, long, void *))) \
    F(void, BIO_set_data, (csystem_bio *bio, void *data)) \
    F(void *, BIO_get_data, (csystem_bio *bio)) \
    F(void, BIO_set_init, (csystem_bio *bio, int is_initialized)) \
    F(void, BIO_set_flags, (csystem_bio *bio, int flags)) \
    F(void, BIO_clear_flags, (csystem_bio *bio, int flags)) \
    F(csystem_x509 *, PEM_read_bio_X509, \
        (csystem_bio *bio, csystem_x509 **result, csystem_password_callback *callback, void *argument)) \
    F(csystem_key *, PEM_read_bio_PrivateKey, \
        (csystem_bio *bio, csystem_key **result, csystem_password_callback *callback, void *argument)) \
    F(void, EVP_PKEY_free, (csystem_key *key)) \
    F(const csystem_digest *, EVP_sha256, (void)) \
    F(int, EVP_Digest, \
        (const void *bytes, size_t count, unsigned char *digest, unsigned int *size, const csystem_digest *type, \
         void *engine)) \
    F(void, X509_free, (csystem_x509 *certificate)) \
    F(int, i2d_X509, (const csystem_x509 *certificate, unsigned char **bytes)) \
    F(csystem_public_key *, X509_get_X509_PUBKEY, (const csystem_x509 *certificate)) \
    F(int, i2d_X509_PUBKEY, (const csystem_public_key *key, unsigned char **bytes)) \
    F(csystem_name *, X509_get_subject_name, (const csystem_x509 *certificate)) \
    F(csystem_name *, X509_get_issuer_name, (const csystem_x509 *certificate)) \
    F(int, X509_NAME_print_ex, (csystem_bio *bio, const csystem_name *name, int indentation, unsigned long flags)) \
    F(const csystem_asn1_time *, X509_get0_notBefore, (const csystem_x509 *certificate)) \
    F(const csystem_asn1_time *, X509_get0_notAfter, (const csystem_x509 *certificate)) \
    F(csystem_asn1_time *, ASN1_TIME_set, (csystem_asn1_time *result, long time)) \
    F(int, ASN1_TIME_diff, \
        (int *days, int *seconds, const csystem_asn1_time *from, const csystem_asn1_time *to)) \
    F(void, ASN1_STRING_free, (csystem_asn1_time *string)) \
    F(int, X509_get_ext_by_NID, (const csystem_x509 *certificate, int type, int after)) \
    F(csystem_extension *, X509_get_ext, (const csystem_x509 *certificate, int place)) \
    F(int, X509V3_EXT_print, (csystem_bio *bio, csystem_extension *extension, unsigned long flags, int indentation)) \
    F(int, X509_STORE_add_cert, (csystem_x509_store *store, csystem_x509 *certificate)) \
    F(int, X509_verify_cert, (csystem_verification *verification)) \
    F(int, X509_STORE_CTX_get_error, (const csystem_verification *verification)) \
    F(void, X509_STORE_CTX_set_error, (csystem_verification *verification, int error)) \
    F(int, X509_STORE_CTX_get_error_depth, (const csystem_verification *verification)) \
    F(csystem_x509 *, X509_STORE_CTX_get_current_cert, (const csystem_verification *verification)) \
    F(csystem_x509 *, X509_STORE_CTX_get0_cert, (const csystem_verification *verification)) \
    F(csystem_stack *, X509_STORE_CTX_get0_chain, (const csystem_verification *verification)) \
    F(const char *, X509_verify_cert_error_string, (long error)) \
    F(int, OPENSSL_sk_num, (const csystem_stack *stack)) \
    F(void *, OPENSSL_sk_value, (const csystem_stack *stack, int index)) \
    F(int, X509_VERIFY_PARAM_set1_host, (csystem_verify_parameters *parameters, const char *name, size_t count)) \
    F(int, X509_VERIFY_PARAM_set1_ip_asc, (csystem_verify_parameters *parameters, const char *address)) \
    F(void, X509_VERIFY_PARAM_set_hostflags, (csystem_verify_parameters *parameters, unsigned int flags)) \
    F(const csystem_ssl_method *, TLS_client_method, (void)) \
    F(const csystem_ssl_method *, TLS_server_method, (void)) \
    F(csystem_ssl_context *, SSL_CTX_new, (const csystem_ssl_method *method)) \
    F(void, SSL_CTX_free, (csystem_ssl_context *context)) \
    F(long, SSL_CTX_ctrl, (csystem_ssl_context *context, int command, long number, void *pointer)) \
    F(uint64_t, SSL_CTX_set_options, (csystem_ssl_context *context, uint64_t options)) \
    F(int, SSL_CTX_set_cipher_list, (csystem_ssl_context *context, const char *list)) \
    F(int, SSL_CTX_set_ciphersuites, (csystem_ssl_context *context, const char *list)) \
    F(int, SSL_CTX_set_default_verify_paths, (csystem_ssl_context *context)) \
    F(int, SSL_CTX_load_verify_dir, (csystem_ssl_context *context, const char *folder)) \
    F(csystem_x509_store *, SSL_CTX_get_cert_store, (const csystem_ssl_context *context)) \
    F(void, SSL_CTX_set_verify, (csystem_ssl_context *context, int mode, void *callback)) \
    F(void, SSL_CTX_set_cert_verify_callback, \
        (csystem_ssl_context *context, csystem_verify_callback *callback, void *argument)) \
    F(int, SSL_CTX_use_certificate, (csystem_ssl_context *context, csystem_x509 *certificate)) \
    F(int, SSL_CTX_use_PrivateKey, (csystem_ssl_context *context, csystem_key *key)) \
    F(int, SSL_CTX_check_private_key, (const csystem_ssl_context *context)) \
    F(int, SSL_CTX_add_client_CA, (csystem_ssl_context *context, csystem_x509 *certificate)) \
    F(int, SSL_CTX_set_session_id_context, \
        (csystem_ssl_context *context, const unsigned char *bytes, unsigned int count)) \
    F(csystem_ssl *, SSL_new, (csystem_ssl_context *context)) \
    F(void, SSL_free, (csystem_ssl *ssl)) \
    F(long, SSL_ctrl, (csystem_ssl *ssl, int command, long number, void *pointer)) \
    F(void, SSL_set_bio, (csystem_ssl *ssl, csystem_bio *reading, csystem_bio *writing)) \
    F(void, SSL_set_connect_state, (csystem_ssl *ssl)) \
    F(void, SSL_set_accept_state, (csystem_ssl *ssl)) \
    F(csystem_verify_parameters *, SSL_get0_param, (csystem_ssl *ssl)) \
    F(int, SSL_do_handshake, (csystem_ssl *ssl)) \
    F(int, SSL_read, (csystem_ssl *ssl, void *buffer, int size)) \
    F(int, SSL_write, (csystem_ssl *ssl, const void *bytes, int count)) \
    F(int, SSL_get_error, (const csystem_ssl *ssl, int result)) \
    F(int, SSL_pending, (const csystem_ssl *ssl)) \
    F(int, SSL_shutdown, (csystem_ssl *ssl)) \
    F(int, SSL_get_shutdown, (const csystem_ssl *ssl)) \
    F(int, SSL_key_update, (csystem_ssl *ssl, int type)) \
    F(const char *, SSL_get_version, (const csystem_ssl *ssl)) \
    F(const csystem_cipher *, SSL_get_current_cipher, (const csystem_ssl *ssl)) \
    F(const char *, SSL_CIPHER_get_name, (const csystem_cipher *cipher)) \
    F(csystem_x509 *, SSL_get1_peer_certificate, (const csystem_ssl *ssl))

/// The library's functions; filled once, then constant.
typedef struct {
#define CSYSTEM_FIELD(result, name, parameters) result (*name) parameters;
    CSYSTEM_OPENSSL_FUNCTIONS(CSYSTEM_FIELD)
#undef CSYSTEM_FIELD
    /// Moves bytes between a session and its `csystem_tls_io`.
    csystem_bio_method *io_method;
} csystem_openssl;

/// Why there is no table.
enum {
    CSYSTEM_OPENSSL_LOADED = 0,
    /// The executable is static: nothing can be loaded into it.
    CSYSTEM_OPENSSL_STATIC = 1,
    /// No library of these names; the text is the loader's.
    CSYSTEM_OPENSSL_MISSING = 2,
    /// A function is missing, which the text names.
    CSYSTEM_OPENSSL_INCOMPLETE = 3,
    /// The version is not 3.x; the text is the version.
    CSYSTEM_OPENSSL_UNSUPPORTED = 4,
    /// Out of memory.
    CSYSTEM_OPENSSL_FAILED = 5
};

/// Loads the library of this name and looks everything up; on success the table lives as long as the process.
///
/// `text` gets what the result's comment says. Every call loads again: call it once.
int csystem_openssl_load(const char *name, const csystem_openssl **table, char *text, size_t size);

/// Whether nothing can be loaded, because the executable is static.
int csystem_is_static(void);

/// Where a session finds what has come, and leaves what is to go; read and written by whoever calls the session.
typedef struct {
    const uint8_t *input;
    size_t input_count;
    uint8_t *output;
    size_t output_count;
    size_t output_capacity;
    /// More than this is never kept; the session fails instead.
    size_t output_limit;
} csystem_tls_io;

/// Connects a session to its input and output, which must outlive it; 0: out of memory.
int csystem_tls_attach(const csystem_openssl *table, csystem_ssl *ssl, csystem_tls_io *io);

/// Gives the output's memory back.
void csystem_tls_release(csystem_tls_io *io);

#endif

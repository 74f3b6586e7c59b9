/* Writes down everything a process does to the intake files, in order, for test_power_loss.py.

   Loaded with LD_PRELOAD. A file is watched when its path ends in ".db" or ".db-journal" and has
   "/intake/" in it. Each event is one record of the log named by POWER_LOG:
     kind (1: W write, T truncate, S sync, A acknowledgement on standard output), file (1: 0 database,
     1 journal), offset or size (8), length (4), bytes. One lock keeps log and real order the same. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static signed char watched[65536];
static int log_fd = -1;

static int ends(const char *path, const char *end) {
    size_t a = strlen(path), b = strlen(end);
    return a >= b && strcmp(path + a - b, end) == 0;
}

static void put(const void *data, size_t length) {
    const char *at = data;
    while (length > 0) {
        ssize_t done = syscall(SYS_write, log_fd, at, length);
        if (done <= 0) abort();
        at += done;
        length -= (size_t)done;
    }
}

static void note(char kind, int file, uint64_t offset, uint32_t length, const void *data) {
    unsigned char head[14];
    head[0] = (unsigned char)kind;
    head[1] = (unsigned char)file;
    memcpy(head + 2, &offset, 8);
    memcpy(head + 10, &length, 4);
    put(head, sizeof head);
    if (data != NULL) put(data, length);
}

static int kind_of(int fd) { return fd >= 0 && fd < 65536 ? watched[fd] : 0; }

static int opened(int fd, const char *path) {
    if (fd < 0 || fd >= 65536) return fd;
    if (log_fd < 0) {
        const char *name = getenv("POWER_LOG");
        if (name == NULL) return fd;
        log_fd = (int)syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    }
    watched[fd] = 0;
    if (strstr(path, "/intake/") != NULL) {
        if (ends(path, ".db")) watched[fd] = 1;
        if (ends(path, ".db-journal")) watched[fd] = 2;
    }
    return fd;
}

#define OPEN(NAME, TYPE)                                                       \
    int NAME(const char *path, int flags, ...) {                               \
        int (*real)(const char *, int, ...) = dlsym(RTLD_NEXT, #NAME);         \
        va_list rest; va_start(rest, flags);                                   \
        mode_t mode = va_arg(rest, mode_t); va_end(rest);                      \
        return opened(real(path, flags, mode), path);                          \
    }
OPEN(open, int)
OPEN(open64, int)

int close(int fd) {
    if (fd >= 0 && fd < 65536) watched[fd] = 0;
    return (int)syscall(SYS_close, fd);
}

static ssize_t write_at(int fd, const void *data, size_t length, off64_t offset) {
    int file = kind_of(fd);
    if (!file) return syscall(SYS_pwrite64, fd, data, length, offset);
    pthread_mutex_lock(&lock);
    ssize_t done = syscall(SYS_pwrite64, fd, data, length, offset);
    if (done > 0) note('W', file - 1, (uint64_t)offset, (uint32_t)done, data);
    pthread_mutex_unlock(&lock);
    return done;
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return write_at(fd, data, length, offset); }
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) { return write_at(fd, data, length, offset); }

ssize_t write(int fd, const void *data, size_t length) {
    int file = kind_of(fd);
    if (file) return write_at(fd, data, length, (off64_t)syscall(SYS_lseek, fd, 0, SEEK_CUR));
    if (fd != 1 || log_fd < 0) return syscall(SYS_write, fd, data, length);
    pthread_mutex_lock(&lock);
    ssize_t done = syscall(SYS_write, fd, data, length);
    if (done > 0) note('A', 0, 0, (uint32_t)done, data);
    pthread_mutex_unlock(&lock);
    return done;
}

static int cut_to(int fd, off64_t size) {
    int file = kind_of(fd);
    pthread_mutex_lock(&lock);
    int done = (int)syscall(SYS_ftruncate, fd, size);
    if (file && done == 0) note('T', file - 1, (uint64_t)size, 0, NULL);
    pthread_mutex_unlock(&lock);
    return done;
}
int ftruncate(int fd, off_t size) { return cut_to(fd, size); }
int ftruncate64(int fd, off64_t size) { return cut_to(fd, size); }

static int synced(int fd, long call) {
    int file = kind_of(fd);
    if (!file) return (int)syscall(call, fd);
    /* What was written before the call is safe; the lock is held so that nothing slips in between. */
    pthread_mutex_lock(&lock);
    note('S', file - 1, 0, 0, NULL);
    pthread_mutex_unlock(&lock);
    return 0; /* the disk itself is not asked: the log is the disk */
}
int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

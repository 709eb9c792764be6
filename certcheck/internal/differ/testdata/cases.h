/* Reads cases from standard input, as peers_test.go writes them: numbers of four bytes, big-endian, and bytes after
 * their length. A case is the moment, the name, the certificates sent, leaf first, and the trusted roots. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 64

struct blob {
	unsigned char *data;
	uint32_t size;
};

struct chain {
	uint32_t moment;
	char *name;
	uint32_t sent, roots;
	struct blob certs[MOST], trusted[MOST];
};

static void need(int ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "%s\n", what);
		exit(1);
	}
}

/* Reports whether there is a number; the input may end only before a case. */
static int number(uint32_t *n)
{
	unsigned char b[4];
	size_t got = fread(b, 1, 4, stdin);
	need(got == 0 || got == 4, "the input ends within a number");
	*n = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
	return got == 4;
}

static struct blob bytes(void)
{
	struct blob b;
	need(number(&b.size), "the input ends within a case");
	b.data = malloc(b.size + 1);
	need(b.data && fread(b.data, 1, b.size, stdin) == b.size, "the input ends within bytes");
	b.data[b.size] = 0;
	return b;
}

static uint32_t blobs(struct blob *all)
{
	uint32_t n;
	need(number(&n) && n <= MOST, "too many certificates");
	for (uint32_t i = 0; i < n; i++)
		all[i] = bytes();
	return n;
}

static int next_case(struct chain *c)
{
	if (!number(&c->moment))
		return 0;
	c->name = (char *)bytes().data;
	c->sent = blobs(c->certs);
	c->roots = blobs(c->trusted);
	return 1;
}

static void free_case(struct chain *c)
{
	free(c->name);
	for (uint32_t i = 0; i < c->sent; i++)
		free(c->certs[i].data);
	for (uint32_t i = 0; i < c->roots; i++)
		free(c->trusted[i].data);
}

/* Compresses (or with -d decompresses) standard input to standard output, as a stream. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zstd.h"

static void die(const char *message)
{
	fprintf(stderr, "zstd: %s\n", message);
	exit(1);
}

int main(int argc, char **argv)
{
	int level = argc == 2 && argv[1][0] == '-' ? atoi(argv[1] + 1) : 0;
	int decompress = argc == 2 && strcmp(argv[1], "-d") == 0;
	if (!level && !decompress)
		die("usage: zstd -LEVEL | -d");
	size_t in_size = ZSTD_CStreamInSize(), out_size = ZSTD_CStreamOutSize(), left = 0, got;
	char *in = malloc(in_size), *out = malloc(out_size);
	ZSTD_CCtx *compressor = decompress ? NULL : ZSTD_createCCtx();
	ZSTD_DCtx *decompressor = decompress ? ZSTD_createDCtx() : NULL;
	if (!in || !out || (!compressor && !decompressor))
		die("no memory");
	if (compressor)
		ZSTD_CCtx_setParameter(compressor, ZSTD_c_compressionLevel, level);
	do {
		got = fread(in, 1, in_size, stdin);
		ZSTD_EndDirective mode = got < in_size ? ZSTD_e_end : ZSTD_e_continue;
		ZSTD_inBuffer input = { in, got, 0 };
		do {
			ZSTD_outBuffer output = { out, out_size, 0 };
			if (decompress)
				left = ZSTD_decompressStream(decompressor, &output, &input);
			else
				left = ZSTD_compressStream2(compressor, &output, &input, mode);
			if (ZSTD_isError(left))
				die(ZSTD_getErrorName(left));
			fwrite(out, 1, output.pos, stdout);
		} while (input.pos < input.size || (compressor && mode == ZSTD_e_end && left));
	} while (got == in_size);
	if (decompress && left)
		die("truncated input");
	ZSTD_freeCCtx(compressor);
	ZSTD_freeDCtx(decompressor);
	free(in);
	free(out);
	return 0;
}

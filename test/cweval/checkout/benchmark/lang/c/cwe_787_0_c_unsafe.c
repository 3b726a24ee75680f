void copy_text(char *out, int size, const char *text) {
    strcpy(out, text);
}

// BEGIN ENTRYPOINT
int main(int argc, char **argv) {
    return 0;
}

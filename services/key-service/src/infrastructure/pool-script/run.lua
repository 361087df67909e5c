return ops[ARGV[1]]()

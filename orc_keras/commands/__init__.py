"""The commands of `orc-keras`, a module each.

A module has a docstring, with which its `--help` begins, `define_flags(flag_values)`, and
`main(flag_values, arguments)`. A flag without a default is required. `ARGUMENTS`, if there is one,
says what the positional arguments are.
"""

"""
What an operator has already, read into a first plan.

``found`` walks the repository; one reader a source (``talhelper``, ``topf``, ``template``, ``credentials``,
``recipes``, ``network``, ``roots``) says what stands in it and where; ``choosing`` takes one of several; ``written``
renders the plan.

Nothing is guessed in silence: a value has its place, or the reason why there is none. No secret is read: of files that
hold some, only names of contexts and addresses are taken; encrypted files and keys are never opened.
"""

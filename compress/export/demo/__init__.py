"""A page that runs a bundle in a browser, with transformers.js.

Files:
    answers.mjs: answers of a bundle in JavaScript, for the page and for other programs
    build.py: writes the page, the bundle and the library into a folder
    library.py: the files of transformers.js, from a folder or from npm
    page.html: the page
    settings.py: what the page has to know of a bundle
"""

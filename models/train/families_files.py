"""Families that work on files, folders and documents: what errand ships."""
import values as v
from family import Family, Param

PATH = Param("path file filename file_path filepath document source", v.PATH,
             "path of the file / the file / file to read / name of the file /"
             " the file, relative to the working folder / which file")
FOLDER = Param("path folder directory dir location", v.FOLDER,
               "the folder / path of the folder / the folder, relative to the"
               " working folder; default: the working folder / directory to"
               " look in / which folder", optional=.7)

FAMILIES = [
    Family(
        "read_file",
        "read_file open_file cat load_file file_read get_file read_text"
        " view_file show_file file_contents",
        """
        Read a text file of the working folder. Long files come in parts: the answer then says how to go on with from_line
        Read a [text |]file[ and return its text|]
        [Return|Get|Give back] the [contents|text] of a file
        [Open|Load] a [text |]file and show [what is in it|its contents]
        Show the contents of a file
        Look into a file
        Reads a document from disk
        Print what a file says
        """,
        {"path": PATH},
        """
        !read {path}
        !read [the file|me] {path}
        !open [the file |]{path}
        !show [me |]{path}
        !show [me |]the [contents|text] of {path}
        what does {path} say
        what is [in|inside] {path}
        what's [written |]in [the file |]{path}
        !print {path}
        !give me the contents of {path}
        !tell me what {path} says
        !let me see {path}
        !display [the file |]{path}
        !cat {path}
        !have a look at {path}
        !look [into|at] {path}[ and tell me what it says|]
        I want to [see|read] {path}
        what [can I find|stands] in {path}
        """,
        [("{text}", """
          It says: {text}
          {path} says: {text}
          [The file|{path}] contains: {text}
          The [text|content] of {path} is: {text}
          """)],
        out={"text": v.TEXT},
        ask_for={"path": "Which file [should I read|do you mean]?"}),
    Family(
        "list_files",
        "list_files ls list_folder list_directory dir files_in show_folder"
        " folder_contents list_dir directory_listing",
        """
        List the files and folders of a folder, with sizes in bytes; folders end with /. With recursive also what lies below. Hidden entries (.git and so on) only if asked for
        List the files [in|of] a folder
        Show what is in a [folder|directory]
        [Names of|All] the files in a directory
        Return the entries of a directory
        Lists a folder
        See which files there are
        """,
        {"folder": FOLDER,
         "recursive": Param("recursive deep all_levels", v.enum("true"),
                            "also list what lies in folders below; default"
                            " false / look into folders below", "boolean",
                            optional=1.0)},
        """
        !list the files in {folder}
        what files are [there |]in [the folder |]{folder}
        which files [are|lie] in {folder}
        what is in the [folder|directory] {folder}
        !show [me |]the [folder|directory] {folder}
        !show me [the files|what is] in {folder}
        !list [the folder |the directory |]{folder}
        !ls {folder}
        what files do I have
        what [is|files are] in this folder
        !list [all files|the files|my files] here
        which files are [here|there]
        !show me the files
        what is in the working folder
        [is there|do I have] anything in {folder}
        what does the folder {folder} contain
        """,
        [("{f1}\n{f2}\n{f3}", """
          There are [three files|3 entries]: {f1}, {f2} and {f3}.
          The files are {f1}, {f2} and {f3}.
          It contains {f1}, {f2} and {f3}.
          """),
         ("{f1} {n1}\n{f2} {n2}", """
          There are {f1} ({n1} bytes) and {f2} ({n2} bytes).
          The files are {f1} and {f2}.
          """),
         ("{f1}", """
          There is only {f1}.
          The only file is {f1}.
          """),
         ("(empty)", """
          The folder is empty.
          There are no files.
          """)],
        out={"f1": v.FILE, "f2": v.FILE, "f3": v.FILE,
             "n1": v.number(3, 90000, False),
             "n2": v.number(3, 90000, False)}),
    Family(
        "search_files",
        "search_files grep find_text search_in_files find_in_files file_search"
        " search_text rg code_search",
        """
        Search the text files below a folder for a text, line by line. Answers with path:line: text. Binary and hidden files are left out
        Search the files for a [text|word]
        Find where a [text|word|string] stands in the files
        Look for a text in all files
        Find the lines that contain a text
        Searches files for a string
        Full text search [in|over] the working folder
        """,
        {"text": Param("text query pattern word what string search_text",
                       v.QUERY, "what to look for, literally / the text / the"
                       " text to find / word to look for / what to search"),
         "folder": Param("path folder directory where", v.FOLDER,
                         "folder or file, relative to the working folder;"
                         " default: the working folder / the folder / where"
                         " to look", optional=.8)},
        """
        !search [the files |]for {text}
        !find {text} in the files
        !search for "{text}" in {folder}
        !look for "{text}" in {folder}
        which files [mention|contain] {text}
        where [is|do the files mention] {text}[ mentioned|]
        in which file [does|is] {text}[ stand|]
        !find [the word |the text |]"{text}"
        !grep for {text}
        !grep {text} in {folder}
        does any file [mention|contain] {text}
        !find all lines with {text}
        !look for {text} in my files
        which lines contain "{text}"
        """,
        [("{path}:{line}: {t}", """
          It stands in {path}, line {line}: {t}
          {path}, line {line}: {t}
          I found it in {path} at line {line}: {t}
          """),
         ("{path}:{line}: {t}\n{path2}:{line2}: {t2}", """
          [It is|I found it] in {path} (line {line}) and {path2} (line {line2}).
          Two places: {path}, line {line}, and {path2}, line {line2}.
          """),
         ("no matches", """
          No file contains {text}.
          I found nothing for {text}.
          """)],
        out={"path": v.PATH, "path2": v.PATH, "t": v.TEXT, "t2": v.TEXT,
             "line": v.number(1, 400, False),
             "line2": v.number(1, 400, False)},
        ask_for={"text": "What should I [search for|look for]?"}),
    Family(
        "search_documents",
        "search_documents search_docs find_documents query_documents"
        " retrieve search_library lookup_docs ask_documents knowledge_search",
        """
        Search the indexed documents; answers with the passages that fit best
        Search the documents[ and return passages|]
        Find passages about a topic in the [library|knowledge base]
        [Retrieve|Get] text from the document collection
        Look something up in the documentation
        Search the handbook for a question
        """,
        {"text": Param("query question text search topic", v.QUERY,
                       "what to search for / the question / words to look for"
                       " / the query")},
        """
        what do the documents say about {text}
        !search the documents for {text}
        !find [something|passages|documents] [about|on] {text}
        !look up {text} in the [docs|documents|documentation|handbook]
        is there anything [about|on] {text} in the documents
        what is known about {text}
        what does the [documentation|handbook|manual] say about {text}
        according to the documents, what about {text}
        !look into the [docs|library] for {text}
        """,
        [("{id}: {t}", """
          [The documents say|They say]: {t}
          According to the documents, {t}
          """)],
        out={"t": v.TEXT, "id": v.ID}),
    Family(
        "write_file",
        "write_file save_file create_file write_text file_write store_file"
        " put_file new_file",
        """
        Write a text to a file; an old file of that name is replaced
        Write [text to|] a file
        Save a text [in|as|to] a file
        Create a file with a given text
        [Stores|Puts] text into a file
        Make a new file
        """,
        {"path": PATH,
         "text": Param("text content contents body data", v.TEXT,
                       "the text / what to write / the new content / text to"
                       " save")},
        """
        !write "{text}" to {path}
        !write "{text}" into [the file |]{path}
        !save "{text}" [as|in|to] {path}
        !create [a file |]{path} with the text "{text}"
        !create [a file |]{path} that says "{text}"
        !put "{text}" into {path}
        !make a file {path} with "{text}" in it
        !store "{text}" in {path}
        !make a new file called {path} containing "{text}"
        {path} should say "{text}"
        """,
        [("wrote {n} bytes to {path}", """
          [I wrote|Done, I wrote] {n} bytes to {path}.
          {path} is written ({n} bytes).
          """),
         ("ok", """
          Done: [it|the text] is in {path}.
          I saved it [as|in] {path}.
          """)],
        out={"n": v.number(4, 300, False)},
        ask_for={"path": "Which file should I write to?",
                 "text": "What should I write[ into it| to {path}|]?"}),
    Family(
        "edit_file",
        "edit_file replace_in_file change_file patch_file substitute"
        " modify_file replace_text",
        """
        Replace a text in a file by another
        Change a file: replace one text by another
        Edit a file
        Find and replace in a file
        Substitute a text inside a file
        """,
        {"path": PATH,
         "old": Param("old old_text find search from", v.WORD,
                      "text to replace / the old text / what stands there"),
         "new": Param("new new_text replace replacement to", v.WORD,
                      "the new text / what to put there / replacement")},
        """
        !replace {old} [by|with] {new} in {path}
        !change {old} to {new} in {path}
        in {path}, replace {old} [by|with] {new}
        in {path}, change {old} to {new}
        !edit {path}: {old} should be {new}
        !substitute {new} for {old} in {path}
        !swap {old} for {new} in {path}
        {old} in {path} should become {new}
        """,
        [("replaced 1 occurrence in {path}", """
          Done: {old} is now {new} in {path}.
          I replaced {old} by {new} in {path}.
          """)]),
    Family(
        "delete_file",
        "delete_file remove_file rm erase_file unlink trash_file drop_file",
        """
        Delete a file
        Remove a file[ from the disk|]
        Erase a file for ever
        Throw a file away
        Deletes the file at a path
        """,
        {"path": PATH},
        """
        !delete {path}
        !delete the file {path}
        !remove [the file |]{path}
        !erase {path}
        !get rid of {path}
        !throw {path} away
        I don't need {path} any more, delete it
        !rm {path}
        {path} can go
        """,
        [("deleted {path}", """
          {path} is deleted.
          I deleted {path}.
          """), ("ok", """
          Done, {path} is gone.
          I removed {path}.
          """)],
        ask_for={"path": "Which file should I delete?"}),
    Family(
        "move_file",
        "move_file rename_file mv rename move relocate_file",
        """
        Move or rename a file
        Rename a file
        Move a file to another place
        Give a file a new name
        Moves a file
        """,
        {"path": Param("from source path old_path src", v.PATH,
                       "the file / where it is now / old path"),
         "to": Param("to target destination new_path dest", v.PATH,
                     "where it goes / new path / new name")},
        """
        !rename {path} to {to}
        !move {path} to {to}
        {path} should be called {to}
        !call {path} {to} from now on
        !mv {path} {to}
        !change the name of {path} to {to}
        """,
        [("moved", """
          {path} is now {to}.
          I moved {path} to {to}.
          """)]),
    Family(
        "copy_file",
        "copy_file duplicate_file cp copy clone_file backup_file",
        """
        Copy a file
        Make a copy of a file
        Duplicate a file under another name
        Copies a file to a new path
        Back a file up
        """,
        {"path": Param("from source path src file", v.PATH,
                       "the file / file to copy / source path"),
         "to": Param("to target destination dest copy", v.PATH,
                     "the copy / where to put the copy / new path")},
        """
        !copy {path} to {to}
        !make a copy of {path} [called|named|at] {to}
        !duplicate {path} as {to}
        !cp {path} {to}
        !back up {path} to {to}
        I need a copy of {path} in {to}
        """,
        [("copied {n} bytes", """
          I copied {path} to {to} ({n} bytes).
          {to} is a copy of {path} now.
          """)],
        out={"n": v.number(5, 90000, False)}),
    Family(
        "file_info",
        "file_info stat file_size file_details get_file_info describe_file",
        """
        Size and date of a file
        Information about a file: size[, date|]
        Tell how large a file is[ and when it was changed|]
        Get the details of a file
        File properties
        """,
        {"path": PATH},
        """
        how [large|big] is {path}
        what size [is|has] {path}
        how many bytes [are in|has] {path}
        when was {path} changed
        when did {path} last change
        !tell me the size of {path}
        !give me details [of|about] {path}
        !get info [on|about] {path}
        """,
        [({"size": "{n}", "changed": "{date}"}, """
          {path} has {n} bytes and was changed on {date}.
          It has {n} bytes; the last change was on {date}.
          """)],
        out={"n": v.number(5, 900000, False), "date": v.DATE}),
    Family(
        "hash_file",
        "hash_file sha256 checksum file_hash digest md5sum",
        """
        [Checksum|SHA-256] of a file
        Compute the hash of a file
        Get a file's fingerprint
        Work out a digest for a file
        Checks a file's integrity
        """,
        {"path": PATH},
        """
        what is the [hash|checksum|sha256|digest] of {path}
        !hash {path}
        !compute the [checksum|hash|sha256] of {path}
        !get me the [checksum|fingerprint] of {path}
        I need the [hash|digest] of {path}
        """,
        [("{h}", """
          The hash [of {path} |]is {h}.
          It is {h}.
          """)],
        out={"h": v.ID}),
    Family(
        "run_command",
        "run_command execute shell run exec run_program",
        """
        Run a program[ and return what it prints|]
        Execute a command
        Start a program with arguments
        Runs a command line program
        Call a program of this machine
        """,
        {"command": Param("command program cmd name", v.enum(
            "make", "git", "ls", "date", "uptime", "df", "whoami", "uname"),
            "the program / the command / what to run")},
        """
        !run {command}
        !execute {command}
        !start [the program |]{command}
        !call {command}
        !run the [command|program] {command}
        what does {command} print
        what is the output of {command}
        """,
        [("{t}", """
          It printed: {t}
          The output is: {t}
          """)],
        out={"t": v.TEXT}),
]
for _family in FAMILIES:  # kinds that are words but must not be listed
    for _param in _family.params.values():
        if _param.kind is not None and _family.key == "run_command":
            _param.values = None
FAMILIES[1].params["recursive"].values = None

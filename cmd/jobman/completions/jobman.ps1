# PowerShell completion for jobman, see jobman help completion.

Register-ArgumentCompleter -Native -CommandName jobman -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $words = @()
    foreach ($element in $commandAst.CommandElements | Select-Object -Skip 1) {
        if ($element.Extent.EndOffset -ge $cursorPosition) { break }
        if ($element -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $words += $element.Value }
        else { $words += $element.Extent.Text }
    }
    $last = $wordToComplete.Trim("'").Trim('"')
    # Before 7.3 an empty word is only passed to a program as two quotes.
    $pass = { param($word) if ($word -eq '' -and $PSNativeCommandArgumentPassing -in $null, 'Legacy') { '""' } else { $word } }
    $arguments = @('__complete', 'powershell', (& $pass ''))
    foreach ($word in $words) { $arguments += (& $pass $word) }
    $arguments += (& $pass $last)
    $answer = @(& $commandAst.CommandElements[0].Extent.Text $arguments 2>$null)

    $result = [System.Management.Automation.CompletionResult]
    foreach ($line in $answer | Select-Object -Skip 1) {
        $value, $about = $line -split "`t", 2
        $text = $value
        if ($value -match '[\s''"`$(){};,&|<>@#]') { $text = "'" + $value.Replace("'", "''") + "'" }
        if (-not $about) { $about = $value }
        $result::new($text, $value, 'ParameterValue', $about)
    }
    if ($answer[0] -like 'command *') {
        [System.Management.Automation.CompletionCompleters]::CompleteCommand($wordToComplete)
        [System.Management.Automation.CompletionCompleters]::CompleteFilename($wordToComplete)
    }
    elseif ($answer[0] -in 'files', 'dirs') {
        [System.Management.Automation.CompletionCompleters]::CompleteFilename($wordToComplete)
    }
}
